// What perspectives sign, for those who make statements and those who carry them; it stands in the contract.
export * from '@gatehouse/proto/perspective-statement';
