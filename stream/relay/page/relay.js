/** The relay's HTTP side: what is asked of it, and one call's offer, candidates and end. */

const ANSWER_WITHIN_MS = 15000;
const token = new URLSearchParams(location.search).get("token");
const auth = token ? { Authorization: `Bearer ${token}` } : {};

/** An error whose text is meant for the person at the page; `final` if trying again cannot help. */
export class Problem extends Error {
  constructor(text, final = false) {
    super(text);
    this.final = final;
  }
}

async function ask(path, options = {}) {
  let answer;
  try {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    answer = await fetch(path, { signal, ...options, headers: { ...auth, ...options.headers } });
  } catch (error) {
    throw new Problem("The relay cannot be reached. Is it still running?");
  }
  if (answer.ok) return answer;
  if (answer.status === 503) {
    const wait = answer.headers.get("Retry-After") || "a few";
    throw new Problem(`The relay is full just now. Try again in ${wait} seconds.`);
  }
  const text = (await answer.text()).trim();
  throw new Problem(`The relay said no: ${text || answer.status}`, answer.status < 500);
}

export const readHealth = async () => (await ask("healthz")).json();

/** Settled when the relay knows of the last call's end: until then it may be full. */
let left = Promise.resolve();

/** One call's address at the relay, and what is sent there. */
export class Signal {
  #location = null;
  #candidates = [];
  #gathered = false;
  #sending = false;
  #over = false;

  /** Send the offer; the answer's SDP, or null where the call was ended meanwhile. */
  async offer(sdp, wishes) {
    await left;
    const query = new URLSearchParams(wishes);
    const headers = { "Content-Type": "application/sdp" };
    const answer = await ask(`call?${query}`, { method: "POST", headers, body: sdp });
    this.#location = answer.headers.get("Location");
    if (this.#over) {
      this.end();
      return null;
    }
    return answer.text();
  }

  /** Keep a candidate, null for the last, until `send`. */
  add(candidate) {
    if (candidate && candidate.candidate) this.#candidates.push(candidate);
    else if (!candidate) this.#gathered = true;
  }

  /** Send what candidates there are, one request after the other, once the relay has answered. */
  async send() {
    if (!this.#location || this.#sending) return;
    this.#sending = true;
    try {
      while (!this.#over && (this.#candidates.length || this.#gathered)) {
        const headers = { "Content-Type": "application/trickle-ice-sdpfrag" };
        await ask(this.#location, { method: "PATCH", headers, body: this.#fragment() });
      }
    } catch (error) {
      // Once the call has ended there they are of no use, and how it ended is told elsewhere.
      console.info("candidates were left out:", error.message);
    } finally {
      this.#sending = false;
    }
  }

  #fragment() {
    const [first] = this.#candidates;
    const lines = this.#candidates.map((candidate) => `a=${candidate.candidate}`);
    if (this.#gathered) lines.push("a=end-of-candidates");
    this.#candidates = [];
    this.#gathered = false;
    return [`a=mid:${first ? first.sdpMid : "0"}`, ...lines, ""].join("\r\n");
  }

  /** The relay ended the call itself: it need not be told. */
  forget() {
    this.#over = true;
    this.#location = null;
  }

  /** Tell the relay; kept alive, so that it also goes out while the page is being left. */
  end() {
    this.#over = true;
    if (!this.#location) return;
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    left = fetch(this.#location, { method: "DELETE", headers: auth, keepalive: true, signal }).catch(() => {});
    this.#location = null;
  }
}
