/* Where this installation is: at the root of its host, or under a path of a proxy. Nothing else writes an address. */

const BASE = new URL('../', import.meta.url);

/** An address of this installation: `at('api/models')`, `at('jobs/ID')`, `at('')` for the studio itself. */
export const at = (path) => new URL(path, BASE).href;

export const jobAddress = (id) => at(`jobs/${encodeURIComponent(id)}`);

/** The job that an address names, else null. */
export function jobIn(href) {
  const match = href.startsWith(at('jobs/')) && /^([^/?#]+)\/?(?:[?#].*)?$/.exec(href.slice(at('jobs/').length));
  if (!match) return null;
  try {
    return decodeURIComponent(match[1]);
  } catch { // not even an address: the server says that there is no such job
    return match[1];
  }
}
