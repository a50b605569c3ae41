/**
 * A wire that can be pulled: a TCP proxy between the panel and the relay.
 *
 * Owns forwarding, pulling, stalling and the count of what was asked over HTTP. Must not know what the bytes mean,
 * apart from the request lines it lists.
 */

import { type AddressInfo, type Server as NetServer, type Socket, connect, createServer } from 'node:net';

/** Most request lines kept. */
const REQUESTS_MAX = 10_000;

/** How the wire behaves. `stalled`: connections open and nothing passes. `nonsense`: every answer is rubbish. */
export type Wire = 'up' | 'down' | 'stalled' | 'nonsense';

/** The proxy. Its own port stays the same for its life. */
export class Network {
  readonly #server: NetServer;
  readonly #sockets = new Set<Socket>();
  #state: Wire = 'up';
  /** `POST /ofrep/v1/evaluate/flags`, … in the order they were asked. */
  readonly requests: string[] = [];

  private constructor(server: NetServer) {
    this.#server = server;
  }

  /** Forwards to `origin()`, asked anew for each connection. */
  static async start(origin: () => string): Promise<Network> {
    const server = createServer();
    const network = new Network(server);
    server.on('connection', (near) => {
      network.#hold(near);
      if (network.#state === 'down') { near.destroy(); return; }
      if (network.#state === 'stalled') return;
      if (network.#state === 'nonsense') {
        near.once('data', () => { near.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\naccess-control-allow-origin: *\r\ncontent-length: 9\r\n\r\n<<nope>>\n'); });
        return;
      }
      const target = new URL(origin());
      const far = connect(Number(target.port), '127.0.0.1');
      network.#hold(far);
      near.on('data', (bytes: Buffer) => {
        const line = /^([A-Z]+ \/\S*) HTTP\/1\.1\r\n/.exec(bytes.subarray(0, 400).toString('latin1'));
        if (line?.[1] !== undefined && network.requests.length < REQUESTS_MAX) network.requests.push(line[1]);
      });
      near.pipe(far);
      far.pipe(near);
      for (const [one, other] of [[near, far], [far, near]] as const) {
        one.on('close', () => { other.destroy(); });
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return network;
  }

  /** What the panel takes for the relay. */
  get origin(): string {
    return `http://localhost:${String((this.#server.address() as AddressInfo).port)}`;
  }

  get state(): Wire {
    return this.#state;
  }

  /** Changes the wire. Open connections are cut, whatever the new state. */
  set(state: Wire): void {
    this.#state = state;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Cuts everything and frees the port. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => { resolve(); }));
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => { /* a cut wire is this class's purpose */ });
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
