/** One connection to the relay: camera out, restored picture in, settings out, figures in. */

import { Problem, Signal } from "./relay.js";

const CONNECT_WITHIN_MS = 20000;
const TICK_MS = 500;
/** Ticks without a sign of the relay, which sends figures twice a second, until it is doubted, and given up. */
const SHAKY = 3, LOST = 6;

export class Link {
  #signal = new Signal();
  #ticks = 0;
  #heard = false;
  #stamp = null;
  #reason = null;
  #over = false;
  #timer;
  #ticking;

  /**
   * @param stream What the camera gives.
   * @param iceServers As the relay named them.
   * @param on Called back: `picture(stream)`, `message(object)`, `shaky(boolean)`, and in the end
   *     `lost(Problem, told)`, `told` if the relay named the reason.
   */
  constructor(stream, iceServers, on) {
    this.on = on;
    this.pc = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.video = this.pc.addTrack(stream.getVideoTracks()[0], stream);
    // A place for sound, though there is none yet: the microphone can be opened later without another offer.
    this.audio = this.pc.addTransceiver("audio", { direction: "sendrecv", streams: [stream] }).sender;
    this.#openChannel();
    const returned = new MediaStream();
    this.pc.ontrack = ({ track }) => {
      returned.addTrack(track);
      if (track.kind === "video") on.picture(returned);
    };
    this.pc.onicecandidate = ({ candidate }) => {
      this.#signal.add(candidate);
      this.#signal.send();
    };
    this.pc.onconnectionstatechange = () => {
      if (this.pc.connectionState === "failed") this.#lose();
    };
    this.#timer = setTimeout(() => {
      this.#lose(new Problem("The relay answered, but no picture got through. A firewall may be in the way."));
    }, CONNECT_WITHIN_MS);
    this.#ticking = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Call the relay with what is wished for; rejects with a Problem where that fails. */
  async open(wishes) {
    await this.pc.setLocalDescription();
    await this.#keepResolution();
    const sdp = await this.#signal.offer(this.pc.localDescription.sdp, wishes);
    if (sdp === null || this.#over) return;
    await this.pc.setRemoteDescription({ type: "answer", sdp });
    this.#signal.send();
  }

  /** The picture is there, or it is known why not: no more waiting for it. */
  settled() {
    clearTimeout(this.#timer);
  }

  send(message) {
    if (this.channel.readyState === "open") this.channel.send(JSON.stringify(message));
  }

  close() {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    clearInterval(this.#ticking);
    this.#signal.end();
    this.pc.close();
  }

  #lose(problem) {
    if (this.#over) return;
    this.close();
    const told = this.#reason !== null;
    const text = told ? `The relay ended the call: ${this.#reason}.` : "The connection to the relay was lost.";
    this.on.lost(problem || new Problem(text), told);
  }

  #openChannel() {
    this.channel = this.pc.createDataChannel("clearcall");
    this.channel.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      this.#sign();
      this.#heard = true;
      if (message.ended) this.#end(message.ended);
      else if (!this.#over) this.on.message(message);
    };
    // The relay closes the channel first when it ends the call.
    this.channel.onclose = () => this.#lose();
  }

  /** Keep the relay's reason until it closes the channel. */
  #end(reason) {
    this.#reason = reason;
    this.#signal.forget();
  }

  #sign() {
    if (this.#ticks >= SHAKY) this.on.shaky(false);
    this.#ticks = 0;
  }

  /** Count how long nothing came; figures may be late on a bad line, so that the picture counts as well. */
  #tick() {
    if (!this.#heard) return;
    const receiver = this.pc.getReceivers().find(({ track }) => track.kind === "video");
    const [source] = receiver ? receiver.getSynchronizationSources() : [];
    if (source && source.rtpTimestamp !== this.#stamp) {
      this.#stamp = source.rtpTimestamp;
      this.#sign();
    }
    this.#ticks += 1;
    if (this.#ticks === SHAKY) this.on.shaky(true);
    if (this.#ticks >= (this.pc.iceConnectionState === "disconnected" ? SHAKY : LOST)) this.#lose();
  }

  /** A face must not come back softer: spend the bitrate on pixels, not on frames. */
  async #keepResolution() {
    const parameters = this.video.getParameters();
    parameters.degradationPreference = "maintain-resolution";
    if (parameters.encodings && parameters.encodings[0]) parameters.encodings[0].maxBitrate = 5000000;
    try {
      await this.video.setParameters(parameters);
    } catch (error) {
      console.info("the browser chooses the resolution itself:", error.name);
    }
  }
}
