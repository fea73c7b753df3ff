// The contract's Requester as the columns that hold it. It is recorded as the RA told it and grants nothing.

import type { Requester } from '@gatehouse/proto/types';

/** The requester in a row. */
export function toRequester(row: {
  readonly requester_kind: number;
  readonly requester_id: string;
  readonly requester_address: string;
  readonly requester_display: string;
}): Requester {
  return {
    // The number came out of the contract when the row was written.
    kind: row.requester_kind as Requester['kind'],
    id: row.requester_id,
    address: row.requester_address,
    display: row.requester_display,
  };
}
