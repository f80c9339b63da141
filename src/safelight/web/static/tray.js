/* The large pictures of a job: its prints, its films, and what came before them. */

import { paintBefore } from './before.js';
import { $, el } from './dom.js';
import { ownPath, titleOf } from './format.js';
import { makePrint, paintPrint } from './print.js';

export function paintTray(page, job) {
  const tray = $('.tray', page);
  const missing = Math.max(1, job.assets?.length ?? 0) - tray.querySelectorAll('.print').length;
  for (let n = 0; n < missing; n += 1) tray.append(makePrint(true));
  tray.querySelectorAll('.print').forEach((print, index) => {
    paintPrint(print, job, index);
    $('img', print).alt = titleOf(job);
    paintFilm(print, job, job.assets?.[index]);
  });
  paintBefore(tray, job);
}

/** A film plays over its poster. It is loaded when somebody starts it. */
function paintFilm(print, job, asset) {
  const film = $('video', print);
  if (!asset?.mime.startsWith('video/')) return film?.remove();
  if (film?.dataset.key === asset.id) return;
  film?.remove();
  const video = el('video');
  video.dataset.key = asset.id;
  Object.assign(video, { controls: true, muted: true, playsInline: true, preload: 'none' });
  if (asset.thumbnail_url) video.poster = ownPath(asset.thumbnail_url);
  video.setAttribute('aria-label', titleOf(job));
  video.src = ownPath(asset.url);
  print.append(video);
}

