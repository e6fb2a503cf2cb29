// What the browser keeps for the page. Who forbids that still gets a page, which then forgets.

export function recall(storage, name) {
  try {
    return globalThis[storage].getItem(name);
  } catch {
    return null;
  }
}

/** `null` takes it away. */
export function keep(storage, name, value) {
  try {
    if (value === null) globalThis[storage].removeItem(name);
    else globalThis[storage].setItem(name, value);
  } catch {
    // Forbidden, or full.
  }
}
