/* What is in the form, kept in this tab's session for the person who wrote it: a reload, or signing in elsewhere, loses
   nothing that was typed; nobody else is given it. */

import { at } from './address.js';

const NAME = `safelight-draft ${at('')}`; // one host may have several installations
let dropped = false;
let owner = read()?.owner ?? null; // whose it is, as far as is known

/** Whose words are kept here: a user, or null when nobody's are. */
export const ownedBy = () => owner;

/** From here on what is kept is this user's. False, and nothing changes, if it is another one's already. */
export function claim(user) {
  if (owner && owner !== user) return false;
  owner = user;
  const kept = read();
  if (kept) keep(kept);
  return true;
}

export function read() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME));
  } catch { // storage is off
    return null;
  }
}

export function keep(facts) {
  if (dropped) return;
  try {
    sessionStorage.setItem(NAME, JSON.stringify({ ...facts, owner }));
  } catch { /* storage is off, or full: then it lasts for this page only */ }
}

/** For good: what this page would still keep is gone with it. */
export function drop() {
  dropped = true;
  try {
    sessionStorage.removeItem(NAME);
  } catch { /* nothing was kept */ }
}
