/* Small helpers over the DOM. Setters write only what changed, so that a repaint of the same facts costs nothing. */

import { at } from './address.js';

export const $ = (selector, root = document) => root.querySelector(selector);

export function el(tag, className = '', text = '') {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

/** One of `icons.svg`, which is only for the eyes. */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', at(`static/icons.svg#${name}`));
  svg.append(use);
  return svg;
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setVar(node, name, value) {
  if (node.style.getPropertyValue(name) !== String(value)) node.style.setProperty(name, value);
}

/** Change what is in `place`; whose hand was on something that is hidden by it goes on at `next`. */
export function keepFocus(place, next, change) {
  const held = place.contains(document.activeElement);
  change();
  if (held && !place.contains(document.activeElement)) next.focus({ preventScroll: true });
}

/** Whether a list has to be rebuilt: a needless rebuild would lose a text selection in it. */
export function changed(list, facts) {
  const before = list.dataset.key;
  list.dataset.key = JSON.stringify(facts);
  return list.dataset.key !== before;
}

export const fromTemplate = (id) => document.getElementById(id).content.cloneNode(true);

/** What went wrong and what to do about it, in the server's words. An error of null empties the box. */
export function showProblem(box, error) {
  box.replaceChildren();
  box.hidden = !error;
  if (!error) return;
  box.append(el('p', 'what', error.message));
  if (error.remedy) box.append(el('p', '', error.remedy));
  if (error.quote) box.append(el('blockquote', '', error.quote));
  if (error.status >= 500 && error.requestId) box.append(el('p', 'mono', `Request ${error.requestId}`));
}

let waiting = [];
let timer;

/** Tell a screen reader. Several lines in one second are spoken as one message; many are counted, not read out. */
export function announce(line) {
  waiting.push(line);
  clearTimeout(timer);
  timer = setTimeout(() => {
    $('#announcer').textContent = waiting.length > 3 ? `${waiting.length} pictures changed.` : waiting.join(' ');
    waiting = [];
  }, 1000);
}
