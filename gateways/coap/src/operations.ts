// What each resource of EST-coaps does, RFC 9148 §4.2: it finds out who asks, calls the operation of EST, and puts the outcome
// into the format that was asked for. The operations themselves are those of EST over HTTPS.

import { onlyAnchor } from '@gatehouse/gateway-kit/est/ca-certificates';
import type { Label } from '@gatehouse/gateway-kit/est/configuration';
import { writeCsrAttributes } from '@gatehouse/gateway-kit/est/csr-attributes';
import { simpleEnroll } from '@gatehouse/gateway-kit/est/enroll';
import { readRequest } from '@gatehouse/gateway-kit/est/enrollment';
import { EstError } from '@gatehouse/gateway-kit/est/error';
import type { EnrollmentExchange } from '@gatehouse/gateway-kit/est/exchange';
import type { Identity } from '@gatehouse/gateway-kit/est/identity';
import { simpleReenroll } from '@gatehouse/gateway-kit/est/reenroll';
import { generateServerKey } from '@gatehouse/gateway-kit/est/server-key-generation';
import type { CertificationRequest } from '@gatehouse/pkix/certification-request';
import { admit, admittedLabels, authenticate } from './authenticate.ts';
import { contentFormats } from './content-formats.ts';
import { discoveryLinks, writeDiscovery } from './discovery.ts';
import { NotAcceptableError } from './errors.ts';
import type { CoapExchange } from './exchange.ts';
import type { CoapGate } from './gate.ts';
import type { CoapResponse } from './request.ts';
import { type ResourceName, resourceNames, resources } from './resources.ts';
import { answerDocument, answerGeneratedKey, answerOutcome, answerPending } from './translate.ts';

type Answer = (gate: CoapGate, exchange: CoapExchange) => Promise<CoapResponse>;

const answers: Readonly<Record<ResourceName, Answer>> = {
  crts: answerCaCertificates,
  att: answerCsrAttributes,
  sen: async (gate, exchange) => {
    const { identity, request } = await identify(gate, exchange);
    return answerOutcome(await simpleEnroll(gate, exchange, identity, request), exchange.format);
  },
  sren: async (gate, exchange) => {
    const { identity, request } = await identify(gate, exchange);
    return answerOutcome(await simpleReenroll(gate, exchange, identity, request), exchange.format);
  },
  skg: (gate, exchange) => answerKeyGeneration(gate, exchange, contentFormats.certificatesOnly),
  skc: (gate, exchange) => answerKeyGeneration(gate, exchange, contentFormats.certificate),
};

/** Answers a request for a resource. @throws {EstError | NotAcceptableError | CoreError} */
export async function answerResource(
  gate: CoapGate,
  resource: ResourceName,
  exchange: CoapExchange,
): Promise<CoapResponse> {
  return await answers[resource](gate, exchange);
}

/**
 * Answers a request for `/.well-known/core`: what this client may use, RFC 9148 §4.1. The default label comes first and has
 * paths without a label.
 *
 * @throws {EstError | CoreError}
 */
export async function answerDiscovery(gate: CoapGate, { requestId, peer, query }: Discovery): Promise<CoapResponse> {
  const { labels, configuration } = gate;
  const fallback = labels.find(undefined);
  const ordered = [...labels.all].sort((one, other) => Number(other === fallback) - Number(one === fallback));
  const served = (await admittedLabels(gate, ordered, { requestId, peer })).map((label) => ({
    label: label === fallback ? undefined : label.name,
    resources: resourceNames.filter((name) => isServed(label, name)),
  }));
  const links = writeDiscovery(discoveryLinks(configuration.root, served), query);
  return answerDocument(links, contentFormats.linkFormat);
}

/** A request for discovery. */
export type Discovery = Pick<EnrollmentExchange, 'requestId' | 'peer'> & { readonly query: readonly string[] };

function isServed(label: Label, name: ResourceName): boolean {
  if (!label.operations.includes(resources[name].operation)) return false;
  const { csrAttributes, channelBinding } = label;
  return name !== 'att' || csrAttributes.classic || csrAttributes.template || channelBinding.policy === 'required';
}

// RFC 9148 §4.3: one certificate can be given without a container. The trust anchor is what a client cannot do without; what
// stands below it is in 281. In a roll-over there are two anchors, of which none may be left out.
async function answerCaCertificates(gate: CoapGate, exchange: CoapExchange): Promise<CoapResponse> {
  await admit(gate, exchange);
  const store = await gate.caCertificates.current();
  if (exchange.format === contentFormats.certificatesOnly)
    return answerDocument(store.certificatesOnly, exchange.format);
  const anchor = onlyAnchor(store, gate.clock.now());
  if (anchor === undefined) {
    throw new NotAcceptableError(`there is not one trust anchor: accept ${contentFormats.certificatesOnly}`);
  }
  return answerDocument(anchor.der, exchange.format);
}

async function answerCsrAttributes(gate: CoapGate, exchange: CoapExchange): Promise<CoapResponse> {
  await admit(gate, exchange);
  const attributes = writeCsrAttributes(await gate.profiles.get(exchange.label.profile), exchange.label);
  // RFC 9148 §4.5: what is 204 over HTTPS is 4.04 here.
  if (attributes === undefined) throw new EstError('not-found', 'nothing is asked of a CSR here');
  return answerDocument(attributes, exchange.format);
}

async function answerKeyGeneration(
  gate: CoapGate,
  exchange: CoapExchange,
  certificateFormat: number,
): Promise<CoapResponse> {
  const { identity, request } = await identify(gate, exchange);
  const outcome = await generateServerKey(gate, exchange, identity, request);
  if (outcome.kind === 'pending') return answerPending(outcome.retryAfterSeconds);
  const undelivered = () => gate.cleanUps.track(outcome.undelivered());
  // The last block went out, which is all that anybody knows: a device that did not get it asks once more (RFC 9148 §4.7).
  const delivered = () => outcome.delivered(gate.windows.retryWindow);
  return answerGeneratedKey({ ...outcome, delivered, undelivered }, certificateFormat);
}

async function identify(
  gate: CoapGate,
  exchange: CoapExchange,
): Promise<{ readonly identity: Identity; readonly request: CertificationRequest }> {
  const identity = await authenticate(gate, exchange);
  const { kind, id } = identity.requester;
  exchange.note({ requester: id, requesterKind: kind });
  gate.limits.takeForRequester(`${kind} ${id}`);
  if (exchange.payload.length === 0) throw new EstError('malformed', 'there is no payload');
  return { identity, request: readRequest(exchange.payload) };
}
