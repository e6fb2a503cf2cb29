// What can be asked for here, fetched once.

import { get } from "./service.js";

export const catalog = {
  models: [],
  defaultModel: "",
  schedulers: [],
  loras: [],
  vaes: [],
  controlnets: [],
  preprocessors: [],
  capabilities: null,
};

export async function fetchCatalog() {
  const [models, schedulers, loras, vaes, controlnets, preprocessors, capabilities] = await Promise.all(
    ["models", "schedulers", "loras", "vaes", "controlnets", "preprocessors", "capabilities"].map((name) =>
      get(`api/v1/${name}`),
    ),
  );
  Object.assign(catalog, {
    models: models.models,
    defaultModel: models.default,
    schedulers: schedulers.schedulers,
    loras: loras.loras,
    vaes: vaes.vaes,
    controlnets: controlnets.controlnets,
    preprocessors: preprocessors.preprocessors,
    capabilities,
  });
}

export const modelNamed = (name) => catalog.models.find((model) => model.name === name);
export const fitting = (entries, model) => entries.filter((entry) => entry.models.includes(model));
export const isRefiner = (model) => model.family === "sdxl_refiner";
