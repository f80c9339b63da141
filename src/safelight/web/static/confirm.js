/* One question before something that cannot be undone. */

import { $, setText } from './dom.js';

const dialog = $('#confirm');

/** Whether the person says yes; Escape and a click beside it are a no. The browser keeps the focus inside, and gives it
 * back. */
export function confirmed(question, consequence, yes) {
  setText($('h2', dialog), question);
  setText($('p', dialog), consequence);
  setText($('[value="yes"]', dialog), yes);
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener('close', () => answer(dialog.returnValue === 'yes'), { once: true });
  });
}

/** Whoever was asked is not there any more: that is a no. */
export function dismiss() {
  if (dialog.open) dialog.close('');
}

/* Beside it: what the browser calls the dialog itself is also its padding, and where a drag out of it ends. */
let pressedBeside = false;

function isBeside({ target, clientX: x, clientY: y }) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return target === dialog && (x < left || x > right || y < top || y > bottom);
}

dialog.addEventListener('pointerdown', (event) => { pressedBeside = isBeside(event); });
dialog.addEventListener('click', (event) => {
  if (pressedBeside && isBeside(event)) dialog.close('');
});
