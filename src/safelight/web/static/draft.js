/* What is in the form, kept in this tab's session: a reload, or signing in elsewhere, loses nothing that was typed. */

const NAME = 'safelight-draft';

export function read() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME));
  } catch { // storage is off
    return null;
  }
}

export function keep(facts) {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(facts));
  } catch { /* storage is off, or full: then it lasts for this page only */ }
}

export function drop() {
  try {
    sessionStorage.removeItem(NAME);
  } catch { /* nothing was kept */ }
}
