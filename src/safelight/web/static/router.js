/* Which view is shown: the studio at its base, a job at `jobs/{id}`. Links marked data-route change it without a reload. */

import { jobIn } from './address.js';

let show;

/** `view(jobId | null, previousJobId | null)` paints; it is called at once and on every change. */
export function start(view) {
  let current = null;
  show = () => {
    const next = jobIn(location.href);
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
    go(link.href);
  });
  show();
}

/** To an address that `address.js` made. */
export function go(href) {
  if (href !== location.href) history.pushState(null, '', href);
  show();
}
