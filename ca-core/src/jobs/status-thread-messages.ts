/** What the core and its status thread say to each other. All of it is data that can be copied from thread to thread. */
import type { KeyObject } from 'node:crypto';
import type { IssuingDistributionPoint } from '@gatehouse/pkix/crl/extensions';
import type { CrlCoverage } from '../store/crl-entries.ts';
import type { AssembledCrl, CrlFileParts } from '../x509/crl-file.ts';

/** What the thread is started with. */
export type StatusThreadData = {
  /** Path of core.db, which exists. */
  readonly coreFile: string;
  /** Path of ocsp.db. */
  readonly responseFile: string;
  /** Name of the one authority that has OCSP, and its certificate, DER. */
  readonly authority: string;
  readonly issuer: Uint8Array;
  /** AlgorithmIdentifier of its signatures, DER. */
  readonly signatureAlgorithm: Uint8Array;
  readonly unpublishedProfiles: readonly string[];
  /** How OCSP responses are made. */
  readonly validityMs: number;
  readonly archiveCutoffMs: number | undefined;
  /** Epoch milliseconds. The thread has no clock of its own. */
  readonly now: number;
};

/** A CRL that is to be encoded. Times are epoch milliseconds. */
export type CrlJob = {
  /** Where the TBSCertList goes. */
  readonly file: string;
  readonly coverage: CrlCoverage;
  readonly contents:
    | { readonly kind: 'full'; readonly listedSince: number }
    | { readonly kind: 'delta'; readonly baseNumber: number; readonly afterPosition: number };
  readonly number: number;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly issuingDistributionPoint: IssuingDistributionPoint | undefined;
  readonly freshestCrl: readonly string[];
};

/** A TBSCertList that was encoded. */
export type EncodedCrl = {
  readonly entries: number;
  /** Last position of status_changes that it takes into account. */
  readonly changePosition: number;
};

/** What the thread can be asked, and what it answers. */
export type StatusThreadTasks = {
  readonly encode: { readonly task: CrlJob; readonly result: EncodedCrl };
  readonly assemble: { readonly task: CrlFileParts; readonly result: AssembledCrl };
};

/** A task on its way. */
export type TaskMessage = {
  [Kind in keyof StatusThreadTasks]: {
    readonly kind: Kind;
    readonly id: number;
    readonly task: StatusThreadTasks[Kind]['task'];
  };
}[keyof StatusThreadTasks];

/** To the thread. */
export type ToStatusThread =
  /** What time it is, and so: look whether there is something to do. */
  | { readonly kind: 'time'; readonly now: number }
  /** From now on this responder signs. */
  | { readonly kind: 'responder'; readonly certificate: Uint8Array; readonly key: KeyObject }
  | TaskMessage
  | { readonly kind: 'close' };

/** From the thread. */
export type FromStatusThread =
  /** It has opened its databases. */
  | { readonly kind: 'ready' }
  /** Responses were signed and can be read. */
  | { readonly kind: 'signed'; readonly certificates: number }
  /** Changes of status up to a position belong onto these CRLs. */
  | { readonly kind: 'changed'; readonly scopes: readonly string[]; readonly position: number }
  /** Every certificate has been seen once; what comes is new. `changePosition`: changes up to it are signed. */
  | { readonly kind: 'idle'; readonly isCaughtUp: boolean; readonly changePosition: number }
  /** It cannot sign now, and goes on trying. */
  | { readonly kind: 'trouble'; readonly reason: string }
  /** The database of responses was given up, and another epoch begins. */
  | { readonly kind: 'discarded'; readonly reason: string }
  | { readonly kind: 'done'; readonly id: number; readonly result: EncodedCrl | AssembledCrl }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string };
