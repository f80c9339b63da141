/* The API's documentation, drawn from /openapi.json. Nothing is loaded from elsewhere. */

import { $, el, showProblem } from './dom.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

function named(schema, document) {
  const name = schema?.$ref?.split('/').pop();
  return name ? document.components.schemas[name] : schema;
}

/** A schema in a few words: "string, at most 200 characters" or "one of image, video". */
function words(found, document) {
  const schema = named(found, document);
  if (!schema) return '';
  if (schema.anyOf) {
    return schema.anyOf.filter((part) => part.type !== 'null').map((part) => words(part, document)).join(' or ');
  }
  const parts = [schema.format ?? schema.type ?? 'any'];
  if (schema.enum) parts[0] = `one of ${schema.enum.join(', ')}`;
  if (schema.minimum !== undefined) parts.push(`from ${schema.minimum}`);
  if (schema.maximum !== undefined) parts.push(`to ${schema.maximum}`);
  if (schema.maxLength !== undefined) parts.push(`at most ${schema.maxLength} characters`);
  if (schema.default !== undefined && schema.default !== null && schema.default !== '') {
    parts.push(`default ${JSON.stringify(schema.default)}`);
  }
  return parts.join(', ');
}

function table(caption, rows) {
  const node = el('table');
  node.append(el('caption', '', caption));
  const head = node.createTHead().insertRow();
  for (const title of ['Name', 'Takes', 'Meaning']) {
    const cell = el('th', '', title);
    cell.scope = 'col';
    head.append(cell);
  }
  const body = node.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    const name = el('th');
    name.scope = 'row';
    name.append(el('code', '', row.name), row.required ? el('span', 'required', ' required') : '');
    line.append(name, el('td', '', row.takes), el('td', '', row.meaning ?? ''));
  }
  return node;
}

function section(method, path, call, document) {
  const node = el('section', 'call');
  const title = el('h2');
  title.append(el('span', `method ${method}`, method.toUpperCase()), ' ', el('code', '', path));
  node.append(title, el('p', 'summary', call.summary ?? ''));
  if (call.description) node.append(el('p', '', call.description));
  const parameters = (call.parameters ?? []).map((each) => ({
    name: each.name, required: each.required, takes: `${each.in}: ${words(each.schema, document)}`, meaning: each.description,
  }));
  if (parameters.length) node.append(table('Parameters', parameters));
  const body = named(call.requestBody?.content?.['application/json']?.schema, document);
  if (body?.properties) {
    const required = new Set(body.required ?? []);
    node.append(table('JSON body', Object.entries(body.properties).map(([name, schema]) => ({
      name, required: required.has(name), takes: words(schema, document), meaning: schema.description,
    }))));
  }
  const answers = Object.entries(call.responses ?? {}).map(([status, each]) => `${status} ${each.description}`);
  node.append(el('p', 'answers', `Answers: ${answers.join(' · ')}`));
  return node;
}

try {
  const answer = await fetch('/openapi.json');
  if (!answer.ok) throw new Error(`The description could not be read (${answer.status}).`);
  const document = await answer.json();
  for (const [path, calls] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      if (calls[method]) $('#calls').append(section(method, path, calls[method], document));
    }
  }
} catch (error) {
  showProblem($('#problem'), error);
}
$('#calls').removeAttribute('aria-busy');
