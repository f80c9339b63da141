/* Which view is shown: the studio at `/`, a job at `/jobs/{id}`. Links marked data-route change it without a reload. */

let show;

/** `view(jobId | null, previousJobId | null)` paints; it is called at once and on every change. */
export function start(view) {
  let current = null;
  show = () => {
    const next = jobIn(location.pathname);
    const previous = current;
    current = next;
    view(next, previous);
  };
  addEventListener('popstate', show);
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-route]');
    // A new tab, a new window, a download: the browser's own business.
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(link.pathname);
  });
  show();
}

export function go(path) {
  if (path !== location.pathname) history.pushState(null, '', path);
  show();
}

function jobIn(path) {
  const match = /^\/jobs\/([^/]+)\/?$/.exec(path);
  if (!match) return null;
  try {
    return decodeURIComponent(match[1]);
  } catch { // not even an address: the server says that there is no such job
    return match[1];
  }
}
