// Every call of the page goes through here: a problem becomes an error whose message is a sentence, an ended login is
// asked for anew, and a write carries its idempotency key and the header that no page of another site can set.

/** A call that was refused or failed. `status` is 0 where there was no answer at all. */
export class CallError extends Error {
  constructor(status, reason, message, body = null) {
    super(message);
    Object.assign(this, { status, reason, body });
  }
}

const listeners = new Set();

/** Calls `listener(error or null)` after every call: null where it was answered. */
export function onReachability(listener) {
  listeners.add(listener);
}

let loginAnew = () => Promise.resolve(false);

/** Calls `ask()` where the login has ended; it resolves to whether there is one again, and a write is then sent again. */
export function onEndedLogin(ask) {
  loginAnew = ask;
}

const tell = (error) => listeners.forEach((listener) => listener(error));

/** A key that makes a write safe to repeat: the same key is the same write. */
export const newKey = () => crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The JSON of an answer to GET; `parameters` is an object, in which nothing and empty texts are left out. */
export const get = (path, parameters = {}, options = {}) => call("GET", path + query(parameters), options);

/** The JSON of an answer to POST. `key` is the idempotency key of the write; the same write sent again has the same. */
export const post = (path, body, { key = newKey(), headers = {}, ...options } = {}) =>
  call("POST", path, { ...options, body, headers: { "Idempotency-Key": key, ...headers } });

/** Sends a file as it is, of the media type `type`; the JSON of the answer. */
export const upload = (path, text, type) => call("POST", path, { body: text, type });

/** `?a=1&b=2`, or nothing where there is no parameter; a list gives its parameter several times. */
export function query(parameters) {
  const search = parameters instanceof URLSearchParams ? parameters : new URLSearchParams();
  if (search !== parameters) {
    for (const [name, value] of Object.entries(parameters)) {
      for (const each of Array.isArray(value) ? value : [value]) {
        if (each !== null && each !== undefined && each !== "") search.append(name, each);
      }
    }
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}

async function call(method, path, sent = {}) {
  const { body, type = null, headers = {}, signal } = sent;
  // A cache that finds a list unchanged would answer with how fresh it was before.
  const request = { method, signal, cache: "no-store", headers: { Accept: "application/json", ...headers } };
  if (method !== "GET") request.headers["X-Stockline"] = "page";
  if (body !== undefined) {
    request.headers["Content-Type"] = type ?? "application/json";
    request.body = type ? body : JSON.stringify(body);
  }
  const answer = await reach(path, request);
  const told = await read(answer);
  if (answer.ok) return told;
  if (answer.status === 401) {
    const asked = loginAnew(method !== "GET");
    // Reads do not wait: what reads now and then reads again, and would otherwise pile up.
    if (method !== "GET" && await asked) return call(method, path, sent);
  }
  throw new CallError(answer.status, told?.reason ?? null, sentence(answer, told), told);
}

async function reach(path, request) {
  try {
    const answer = await fetch(path, request);
    tell(null);
    return answer;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    const failure = new CallError(0, "unreachable", "The engine does not answer. What you see is as of the last answer.");
    tell(failure);
    throw failure;
  }
}

async function read(answer) {
  const text = await answer.text();
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

const SENTENCES = {
  401: "Your login has ended.",
  403: "Your role may not do this.",
  404: "There is no such thing (any more).",
  412: "Somebody has changed this meanwhile.",
  429: "The engine is busy; try again in a moment.",
  503: "The engine is not ready; try again in a moment.",
};

function sentence(answer, told) {
  const detail = told?.detail ?? SENTENCES[answer.status] ?? `The engine answered ${answer.status}.`;
  const text = detail.charAt(0).toUpperCase() + detail.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
