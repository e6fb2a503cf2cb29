// What the parts ask of one another, without knowing each other. The entry module fills it.

export const handlers = {};
export const wire = (given) => Object.assign(handlers, given);
