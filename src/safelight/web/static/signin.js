/* Who is there: the sign-in page of keyed mode, and the way out. A key is sent once and kept nowhere; the server's answer
   is a cookie that no script can read. What stands in the form stays there. */

import { at } from './address.js';
import { Unreachable, getSession, signIn, signOut, whenUnauthorized } from './api.js';
import { $, setText, showProblem } from './dom.js';
import * as draft from './draft.js';

const RETRY_MS = 3000;
const root = document.documentElement;
const key = $('#api-key');
let user = null; // who was signed in last
let entered; // called when somebody is

/** Whether the sign-in page is all that is shown. */
export const signedOut = () => root.dataset.signed === 'out';

/** `onEntered()` is called after each sign-in: whatever was refused may be asked again. */
export async function setupSignIn(onEntered) {
  entered = onEntered;
  whenUnauthorized(ask);
  $('#signin-form').addEventListener('submit', enter);
  $('#sign-out').addEventListener('click', leave);
  await whoIsThere();
}

async function whoIsThere() {
  try {
    const { mode, user_id: found } = await getSession();
    if (mode !== 'keyed') return;
    if (found) greet(found);
    else ask();
  } catch {
    setTimeout(whoIsThere, RETRY_MS);
  }
}

function ask() {
  if (signedOut()) return;
  root.dataset.signed = 'out';
  const why = user ? 'Your session has ended. Sign in again to go on: what you have written is still there.' : 'This server asks who you are.';
  setText($('#signin-why'), why);
  $('#signin').hidden = false;
  $('#account').hidden = true;
  document.title = 'Sign in · Safelight';
  key.focus();
}

function greet(found) {
  user = found;
  setText($('#who'), found);
  $('#account').hidden = false;
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
  if (mode === 'keyed' && !scopes.includes('jobs')) {
    await signOut();
    return { message: `The key of ${found} may not make or see pictures: its scopes are ${scopes.join(', ')}.`, remedy: 'Use one with the scope jobs.' };
  }
  if (user && user !== found) return startAnew();
  delete root.dataset.signed;
  $('#signin').hidden = true;
  if (mode === 'keyed') greet(found);
  entered();
  return null;
}

/** Nothing of one person's is left on the page for the next. */
function startAnew() {
  draft.drop();
  location.assign(at(''));
  return null;
}

async function leave() {
  try {
    await signOut();
  } catch (error) {
    showProblem($('#account-problem'), error);
    return;
  }
  startAnew();
}
