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

dialog.addEventListener('click', (event) => {
  if (event.target === dialog) dialog.close();
});
