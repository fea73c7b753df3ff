// How far perspectives are from each other, as the keep measures it; it stands in the contract.
export * from '@gatehouse/proto/distance';
