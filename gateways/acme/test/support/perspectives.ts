// Perspectives that say what a test wants them to: they sign with keys of their own and can be slow, silent, lying or wrongly
// keyed. Only for failures; what a real perspective sees is tested with real ones.

import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { canonicalJson } from '@gatehouse/pkix/jose/canonical-json';
import { signCompactJws } from '@gatehouse/pkix/jose/compact-jws';
import { jwkOfKey } from '@gatehouse/pkix/jose/jwk';
import { CoreError } from '@gatehouse/ra-client/core-error';
import type { ValidationRules } from '@gatehouse/ra-client/domain-validation';
import type { CheckCaaRequest, CheckDomainControlRequest, Perspective } from '@gatehouse/ra-client/perspective';
import { type StatementPayload, statementType } from '@gatehouse/ra-client/perspective-statement';
import type { ValidationSubject } from '../../src/perspectives/check.ts';
import type { RemotePerspective } from '../../src/perspectives/registry.ts';

/** How a double answers. */
export type Behaviour = {
  /** What it found; `pass` unless told. */
  readonly result?: 'pass' | 'fail' | 'error';
  readonly problem?: StatementPayload['problem'];
  /** Changes what it signs. */
  readonly says?: (payload: StatementPayload) => StatementPayload;
  /** Changes what it has signed. */
  readonly sends?: (jws: string) => string;
  readonly signsWith?: KeyObject;
  readonly type?: string;
  /** Fails instead of answering. */
  readonly fails?: boolean;
  /** Is too busy to look, so many times. */
  readonly busy?: number;
  /** Answers only when this resolves. */
  readonly waits?: Promise<void>;
};

/** A double: behaviour by check may be changed while the test runs. */
export type Double = {
  readonly perspective: RemotePerspective;
  readonly key: KeyObject;
  /** Requests that came. */
  readonly asked: { readonly check: 'dcv' | 'caa'; readonly request: CheckDomainControlRequest | CheckCaaRequest }[];
  behave(check: 'dcv' | 'caa', behaviour: Behaviour): void;
};

/** A key for statements. */
export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** Makes a double that passes everything. @param holder URI that it signs for; its name unless told */
export function createDouble(
  name: string,
  { site = name, rir = '', place, holder = `spiffe://gatehouse.internal/perspective/${name}` }: DoubleOptions = {},
): Double {
  const key = newKey();
  const behaviours = new Map<'dcv' | 'caa', Behaviour>();
  const asked: Double['asked'] = [];
  let refusals = 0;
  const answer = async (
    check: 'dcv' | 'caa',
    request: CheckDomainControlRequest | CheckCaaRequest,
  ): Promise<string> => {
    asked.push({ check, request });
    const behaviour = behaviours.get(check) ?? {};
    await behaviour.waits;
    if (refusals++ < (behaviour.busy ?? 0)) throw new CoreError('rate-limited', 'many checks are under way');
    if (behaviour.fails === true) throw new CoreError('unavailable', `the perspective ${name} cannot be reached`);
    const honest = makePayload(check, request, { holder, site, rir }, behaviour);
    const payload = behaviour.says?.(honest) ?? honest;
    const jws = signCompactJws({
      header: { typ: behaviour.type ?? statementType, kid: jwkOfKey(key).thumbprint },
      payload: Buffer.from(canonicalJson(payload)),
      key: behaviour.signsWith ?? key,
    });
    return behaviour.sends?.(jws) ?? jws;
  };
  const client: Perspective = {
    checkDomainControl: (request) => answer('dcv', request),
    checkCaa: (request) => answer('caa', request),
    describe: () => Promise.reject(new CoreError('unavailable', 'a double has nothing to say')),
    close: async () => {},
  };
  const { key: publicKey, thumbprint } = jwkOfKey(key);
  return {
    perspective: {
      name,
      site,
      rir,
      place,
      keys: [
        { keyId: thumbprint, key: publicKey, activeFrom: new Date(0), retiredAt: undefined, revokedAt: undefined },
      ],
      client,
    },
    key,
    asked,
    behave: (check, behaviour) => {
      behaviours.set(check, behaviour);
    },
  };
}

/** Labels of a double. */
export type DoubleOptions = {
  readonly site?: string;
  readonly rir?: string;
  readonly place?: RemotePerspective['place'];
  readonly holder?: string;
};

/** The rules of a private policy with so many remotes. */
export function rulesOf(
  remotes: number,
  corroborations: number,
  changes: Partial<ValidationRules> = {},
): ValidationRules {
  return {
    mode: 'enforce',
    policy: 'private',
    remotes,
    corroborations,
    caa: 'on',
    dnssec: 'off',
    issuerDomainNames: ['ca.example'],
    methods: ['http-01', 'dns-01', 'tls-alpn-01'],
    reuse: { seconds: 30 * 86_400, nanos: 0 },
    requiredSites: [],
    dnsPersist: 'draft-02',
    version: 'private',
    ...changes,
  };
}

/** Something to validate. */
export function subjectOf(changes: Partial<ValidationSubject> = {}): ValidationSubject {
  return {
    orderId: 'order-1',
    authorizationId: 'authorization-1',
    identifier: { type: 'dns', value: 'a.example', isWildcard: false },
    method: 'http-01',
    token: 'tokentokentokentokentokentokentokentokentok',
    thumbprints: ['NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'],
    accountUrl: 'https://ca.example/acme/account/1',
    variant: 'draft-02',
    ...changes,
  };
}

function makePayload(
  check: 'dcv' | 'caa',
  request: CheckDomainControlRequest | CheckCaaRequest,
  { holder, site, rir }: { readonly holder: string; readonly site: string; readonly rir: string },
  { result = 'pass', problem }: Behaviour,
): StatementPayload {
  const { attempt, identifier, method } = request;
  if (attempt === undefined || identifier === undefined) throw new Error('the request is not whole');
  const thumbprint = 'thumbprints' in request ? (request.thumbprints[0] ?? '') : request.thumbprint;
  const token = 'token' in request && request.token !== '' ? request.token : undefined;
  const now = new Date().toISOString();
  return {
    v: 1,
    perspective: holder,
    site,
    rir,
    build: 'double',
    attempt: attempt.id,
    order: attempt.order,
    authorization: attempt.authorization,
    perspectives: [...attempt.perspectives],
    check,
    identifier: { type: identifier.type === 'ip' ? 'ip' : 'dns', value: identifier.value },
    isWildcard: identifier.isWildcard,
    method: method === 'dns-persist-01' || method === 'dns-01' ? method : 'http-01',
    account: request.accountUri,
    thumbprint,
    ...(token === undefined
      ? {}
      : { token, expected: createHash('sha256').update(`${token}.${thumbprint}`).digest('base64url') }),
    result,
    ...(result === 'pass' ? {} : { problem: problem ?? { type: 'dns', detail: `NXDOMAIN for ${identifier.value}` } }),
    dns: [],
    started: now,
    finished: now,
  };
}
