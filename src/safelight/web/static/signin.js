/* Who is there: the sign-in page of keyed mode, and the way out. A key is sent once and kept nowhere; the server's answer
   is a cookie that no script can read. What stands in the form stays there, for the person who wrote it.

   All tabs of a browser share the cookie, and the Back button brings pages back as they were. So tabs tell each other, and
   whoever comes back to one is looked at anew: a page is only ever shown to the person it was made for. */

import { at } from './address.js';
import { Unreachable, askNoMore, getSession, signIn, signOut, whenUnauthorized } from './api.js';
import { dismiss } from './confirm.js';
import { $, setText, showProblem } from './dom.js';
import * as draft from './draft.js';

const RETRY_MS = 3000;
const root = document.documentElement;
const key = $('#api-key');
const tabs = new BroadcastChannel(`safelight-session ${at('')}`); // hears { user }: null has signed out
let local = false; // nobody has to sign in
let user = null; // who was signed in last
let since = 0; // when; a request begun before may still be refused, and that says nothing of now
let entered; // called when somebody is
let timer;
let held; // where the hand was when the page was concealed

/** Whether the page is not for anybody: only the sign-in page is shown, or nothing any more. */
export const signedOut = () => ['out', 'over'].includes(root.dataset.signed);

/** `onEntered()` is called after each sign-in: whatever was refused may be asked again. */
export async function setupSignIn(onEntered) {
  entered = onEntered;
  whenUnauthorized((begun) => begun >= since && ask());
  $('#signin-form').addEventListener('submit', enter);
  $('#sign-out').addEventListener('click', leave);
  tabs.addEventListener('message', ({ data }) => (data.user ? meet(data.user) : startAnew()));
  document.addEventListener('visibilitychange', () => document.hidden || local || look());
  addEventListener('pagehide', () => user && conceal());
  addEventListener('pageshow', ({ persisted }) => persisted && comeBack());
  if (draft.ownedBy()) conceal();
  await look();
}

/** Whose cookie has this browser now? */
async function look() {
  clearTimeout(timer);
  const begun = performance.now();
  try {
    const { mode, user_id: found } = await getSession();
    local = mode !== 'keyed';
    if (begun >= since) meet(found);
  } catch {
    timer = setTimeout(look, RETRY_MS);
  }
}

/** By the Back button, to a page as it was left. */
function comeBack() {
  if (root.dataset.signed === 'over') startAnew();
  else if (!local) look();
}

/** This user, or nobody, is who the server takes us for. */
function meet(found) {
  if (root.dataset.signed === 'over') return;
  if (!found) ask();
  else if (draft.claim(found)) welcome(found);
  else startAnew();
}

function welcome(found) {
  const back = signedOut();
  delete root.dataset.signed;
  $('#signin').hidden = true;
  if (!local) greet(found);
  if (back) {
    since = performance.now();
    entered();
  } else if (held && document.activeElement === document.body) held.focus({ preventScroll: true });
  held = null;
}

function greet(found) {
  user = found;
  setText($('#who'), found);
  $('#account').hidden = false;
}

/** Until it is known who looks, nothing of anybody's is seen. */
function conceal() {
  if (signedOut()) return;
  held = document.activeElement;
  root.dataset.signed = 'unknown';
}

function ask() {
  if (signedOut()) return;
  root.dataset.signed = 'out';
  const why = user ? 'Your session has ended. Sign in again to go on: what you have written is still there.' : 'This server asks who you are.';
  setText($('#signin-why'), why);
  $('#signin').hidden = false;
  $('#account').hidden = true;
  document.title = 'Sign in · Safelight';
  dismiss();
  key.focus();
}

async function enter(event) {
  event.preventDefault();
  const form = event.target;
  if (form.getAttribute('aria-busy') === 'true') return;
  form.setAttribute('aria-busy', 'true');
  try {
    showProblem($('#signin-problem'), await refusal(key.value.trim()));
  } catch (error) {
    if (error instanceof Unreachable) error.remedy = 'Check that it is running, then try again.';
    showProblem($('#signin-problem'), error);
  }
  form.removeAttribute('aria-busy');
  if (signedOut()) key.focus();
}

/** Sign in; what stands against it, or null. */
async function refusal(shown) {
  if (!shown) return { message: 'The key is missing.', remedy: 'Type it, or paste it.' };
  const { mode, user_id: found, scopes } = await signIn(shown);
  key.value = '';
  local = mode !== 'keyed';
  if (!local && !scopes.includes('jobs')) {
    await signOut();
    return { message: `The key of ${found} may not make or see pictures: its scopes are ${scopes.join(', ')}.`, remedy: 'Use one with the scope jobs.' };
  }
  if (!local) tabs.postMessage({ user: found });
  meet(found);
  return null;
}

async function leave() {
  try {
    await signOut();
  } catch (error) {
    showProblem($('#account-problem'), error);
    return;
  }
  tabs.postMessage({ user: null });
  startAnew();
}

/** Nothing of one person's is left on the page for the next, who can do nothing more with it until the new one is there. */
function startAnew() {
  draft.drop();
  askNoMore();
  dismiss();
  root.dataset.signed = 'over';
  $('#account').hidden = true;
  document.title = 'Safelight';
  location.replace(at(''));
}
