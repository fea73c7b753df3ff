// Who is connected: sessions and handshakes by peer and by address, in the order in which they have to go when room is
// needed. A handshake never costs a session its place: only a peer that proved a certificate can, and at first one of its
// own address.

/** What the table knows of both. */
export type Member = {
  /** Address and port. */
  readonly peerKey: string;
  /** IPv4 address, or /64 of IPv6. */
  readonly network: string;
};

/** Limits on what the table holds. */
export type TableLimits = {
  readonly sessions: number;
  readonly sessionsPerAddress: number;
  readonly halfOpen: number;
};

type Network<Session, Handshake> = { readonly sessions: Set<Session>; readonly handshakes: Set<Handshake> };

/** At most one session and one handshake of each peer. */
export class SessionTable<Session extends Member & { readonly id: string }, Handshake extends Member> {
  readonly #limits: TableLimits;
  /** By id, the longest silent first. */
  readonly #sessions = new Map<string, Session>();
  readonly #sessionOfPeer = new Map<string, Session>();
  /** By peer, the oldest first. */
  readonly #handshakes = new Map<string, Handshake>();
  readonly #networks = new Map<string, Network<Session, Handshake>>();

  constructor(limits: TableLimits) {
    this.#limits = limits;
  }

  get counts(): { readonly established: number; readonly halfOpen: number } {
    return { established: this.#sessions.size, halfOpen: this.#handshakes.size };
  }

  /** The longest silent first. */
  sessions(): Iterable<Session> {
    return this.#sessions.values();
  }

  /** The oldest first. */
  handshakes(): Iterable<Handshake> {
    return this.#handshakes.values();
  }

  find(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  sessionOf(peerKey: string): Session | undefined {
    return this.#sessionOfPeer.get(peerKey);
  }

  handshakeOf(peerKey: string): Handshake | undefined {
    return this.#handshakes.get(peerKey);
  }

  /** The handshake that has to go before one more of this network can begin. */
  handshakeInTheWay(network: string): Handshake | undefined {
    const own = this.#networks.get(network)?.handshakes;
    if (own !== undefined && own.size >= this.#limits.sessionsPerAddress) return first(own);
    return this.#handshakes.size >= this.#limits.halfOpen ? first(this.#handshakes.values()) : undefined;
  }

  /** The session that has to go before one more of this network can be opened. */
  sessionInTheWay(network: string): Session | undefined {
    const own = this.#networks.get(network)?.sessions;
    if (own !== undefined && own.size >= this.#limits.sessionsPerAddress) return first(own);
    return this.#sessions.size >= this.#limits.sessions ? first(this.#sessions.values()) : undefined;
  }

  addHandshake(handshake: Handshake): void {
    this.#handshakes.set(handshake.peerKey, handshake);
    this.#network(handshake.network).handshakes.add(handshake);
  }

  removeHandshake(handshake: Handshake): void {
    this.#handshakes.delete(handshake.peerKey);
    this.#network(handshake.network).handshakes.delete(handshake);
    this.#tidy(handshake.network);
  }

  addSession(session: Session): void {
    this.#sessions.set(session.id, session);
    this.#sessionOfPeer.set(session.peerKey, session);
    this.#network(session.network).sessions.add(session);
  }

  /** Puts a session behind all others. */
  heardFrom(session: Session): void {
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
    const { sessions } = this.#network(session.network);
    sessions.delete(session);
    sessions.add(session);
  }

  removeSession(session: Session): void {
    this.#sessions.delete(session.id);
    this.#sessionOfPeer.delete(session.peerKey);
    this.#network(session.network).sessions.delete(session);
    this.#tidy(session.network);
  }

  #network(network: string): Network<Session, Handshake> {
    let members = this.#networks.get(network);
    if (members === undefined) {
      members = { sessions: new Set(), handshakes: new Set() };
      this.#networks.set(network, members);
    }
    return members;
  }

  #tidy(network: string): void {
    const members = this.#networks.get(network);
    if (members?.sessions.size === 0 && members.handshakes.size === 0) this.#networks.delete(network);
  }
}

function first<T>(members: Iterable<T>): T | undefined {
  for (const member of members) return member;
  return undefined;
}
