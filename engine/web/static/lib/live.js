// Live values of the rows that are on the screen. A WebSocket brings them at most four times a second; while there is
// none, because a proxy or the network does not let it through, the same rows are asked for every two seconds.

import { fresh } from "./status.js";

const POLL_MS = 2000;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30_000;
const QUIET_MS = 10_000;

/** Follows one window of one list. `ask()` fetches the window as a frame; `show(frame)` takes each that arrives. */
export class Live {
  constructor({ view, ask, show }) {
    Object.assign(this, { view, ask, show, window: null, paused: false, socket: null, heard: 0, retry: FIRST_RETRY_MS });
    setInterval(() => this.poll(), POLL_MS);
    setInterval(() => this.doubt(), QUIET_MS / 2);
    document.addEventListener("visibilitychange", () => this.send({ hidden: document.hidden }));
    this.open();
  }

  /** Follow another window: `{table, query, offset, limit, mode, rows}`, where `query` is that of the list's address. */
  follow(window) {
    this.window = window;
    this.send({ view: this.view, ...window });
  }

  /** Stop showing changes for now, or go on. */
  pause(paused) {
    this.paused = paused;
  }

  /** How the values come at present. */
  get way() {
    if (this.paused) return "paused";
    return this.socket?.readyState === WebSocket.OPEN ? "live" : "every 2 s";
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(`${scheme}//${location.host}/v1/live`);
    this.socket.onopen = () => {
      this.retry = FIRST_RETRY_MS;
      this.heard = performance.now();
      if (document.hidden) this.send({ hidden: true });
      if (this.window) this.follow(this.window);
    };
    this.socket.onmessage = (message) => this.take(JSON.parse(message.data));
    this.socket.onclose = () => {
      setTimeout(() => this.open(), this.retry);
      this.retry = Math.min(LAST_RETRY_MS, this.retry * 2);
    };
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  /** Asks again where nothing has come for a while, and gives up a socket on which then nothing comes: it is dead. */
  doubt() {
    if (this.socket?.readyState !== WebSocket.OPEN || document.hidden || !this.window) return;
    const quiet = performance.now() - this.heard;
    if (quiet > 2 * QUIET_MS) this.socket.close();
    else if (quiet > QUIET_MS) this.follow(this.window);
  }

  take(frame) {
    this.heard = performance.now();
    if (frame.view !== this.view || !frame.items) return;
    fresh(frame.lag_seconds, this.way);
    if (!this.paused) this.show(frame);
  }

  async poll() {
    if (this.paused || document.hidden || !this.window || this.way === "live") return;
    try {
      this.take({ view: this.view, ...await this.ask(this.window) });
    } catch {
      // The strip at the top says that the engine does not answer; the next round tries again.
    }
  }
}
