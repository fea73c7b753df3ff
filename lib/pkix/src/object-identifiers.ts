// Every object identifier the house speaks of, in one place with its source. Tables only: nothing here decides which of
// them is acceptable where.

/** Attribute types of distinguished names, by the short name of RFC 4514 §3 or, where it has none, by the schema's name. */
export const attributeTypes = {
  CN: '2.5.4.3', // RFC 5280 appendix A: id-at-commonName
  SN: '2.5.4.4', // RFC 5280 appendix A: id-at-surname
  serialNumber: '2.5.4.5', // RFC 5280 appendix A: id-at-serialNumber
  C: '2.5.4.6', // RFC 5280 appendix A: id-at-countryName
  L: '2.5.4.7', // RFC 5280 appendix A: id-at-localityName
  ST: '2.5.4.8', // RFC 5280 appendix A: id-at-stateOrProvinceName
  STREET: '2.5.4.9', // RFC 4519 §2.34
  O: '2.5.4.10', // RFC 5280 appendix A: id-at-organizationName
  OU: '2.5.4.11', // RFC 5280 appendix A: id-at-organizationalUnitName
  title: '2.5.4.12', // RFC 5280 appendix A: id-at-title
  description: '2.5.4.13', // RFC 4519 §2.5
  businessCategory: '2.5.4.15', // RFC 4519 §2.1
  postalCode: '2.5.4.17', // RFC 4519 §2.23
  name: '2.5.4.41', // RFC 5280 appendix A: id-at-name
  GN: '2.5.4.42', // RFC 5280 appendix A: id-at-givenName
  initials: '2.5.4.43', // RFC 5280 appendix A: id-at-initials
  generationQualifier: '2.5.4.44', // RFC 5280 appendix A: id-at-generationQualifier
  dnQualifier: '2.5.4.46', // RFC 5280 appendix A: id-at-dnQualifier
  pseudonym: '2.5.4.65', // RFC 5280 appendix A: id-at-pseudonym
  organizationIdentifier: '2.5.4.97', // X.520 §6.4.4 (2019); CA/Browser Forum EV Guidelines §9.2.8
  UID: '0.9.2342.19200300.100.1.1', // RFC 4519 §2.39
  DC: '0.9.2342.19200300.100.1.25', // RFC 4519 §2.4
  emailAddress: '1.2.840.113549.1.9.1', // RFC 2985 §5.2.1
  unstructuredName: '1.2.840.113549.1.9.2', // RFC 2985 §5.2.2; network equipment puts its host name here
  unstructuredAddress: '1.2.840.113549.1.9.8', // RFC 2985 §5.2.3
  jurisdictionL: '1.3.6.1.4.1.311.60.2.1.1', // CA/Browser Forum EV Guidelines §9.2.4
  jurisdictionST: '1.3.6.1.4.1.311.60.2.1.2', // CA/Browser Forum EV Guidelines §9.2.4
  jurisdictionC: '1.3.6.1.4.1.311.60.2.1.3', // CA/Browser Forum EV Guidelines §9.2.4
} as const;

/** Certificate and CRL extensions. */
export const extensionIds = {
  subjectDirectoryAttributes: '2.5.29.9', // RFC 5280 §4.2.1.8
  subjectKeyIdentifier: '2.5.29.14', // RFC 5280 §4.2.1.2
  keyUsage: '2.5.29.15', // RFC 5280 §4.2.1.3
  subjectAlternativeName: '2.5.29.17', // RFC 5280 §4.2.1.6
  issuerAlternativeName: '2.5.29.18', // RFC 5280 §4.2.1.7
  basicConstraints: '2.5.29.19', // RFC 5280 §4.2.1.9
  crlNumber: '2.5.29.20', // RFC 5280 §5.2.3
  reasonCode: '2.5.29.21', // RFC 5280 §5.3.1
  invalidityDate: '2.5.29.24', // RFC 5280 §5.3.2
  deltaCrlIndicator: '2.5.29.27', // RFC 5280 §5.2.4
  issuingDistributionPoint: '2.5.29.28', // RFC 5280 §5.2.5
  nameConstraints: '2.5.29.30', // RFC 5280 §4.2.1.10
  crlDistributionPoints: '2.5.29.31', // RFC 5280 §4.2.1.13
  certificatePolicies: '2.5.29.32', // RFC 5280 §4.2.1.4
  policyMappings: '2.5.29.33', // RFC 5280 §4.2.1.5
  authorityKeyIdentifier: '2.5.29.35', // RFC 5280 §4.2.1.1
  policyConstraints: '2.5.29.36', // RFC 5280 §4.2.1.11
  extendedKeyUsage: '2.5.29.37', // RFC 5280 §4.2.1.12
  freshestCrl: '2.5.29.46', // RFC 5280 §4.2.1.15
  inhibitAnyPolicy: '2.5.29.54', // RFC 5280 §4.2.1.14
  noRevAvail: '2.5.29.56', // RFC 9608 §2
  authorityInformationAccess: '1.3.6.1.5.5.7.1.1', // RFC 5280 §4.2.2.1
  subjectInformationAccess: '1.3.6.1.5.5.7.1.11', // RFC 5280 §4.2.2.2
  tlsFeature: '1.3.6.1.5.5.7.1.24', // RFC 7633 §4.1
  ocspNoCheck: '1.3.6.1.5.5.7.48.1.5', // RFC 6960 §4.2.2.2.1
  signedCertificateTimestamps: '1.3.6.1.4.1.11129.2.4.2', // RFC 6962 §3.3
  precertificatePoison: '1.3.6.1.4.1.11129.2.4.3', // RFC 6962 §3.1
} as const;

/** Access methods of authority and subject information access, and policy identifiers of RFC 5280. */
export const accessMethods = {
  ocsp: '1.3.6.1.5.5.7.48.1', // RFC 5280 §4.2.2.1
  caIssuers: '1.3.6.1.5.5.7.48.2', // RFC 5280 §4.2.2.1
} as const;

/** OCSP: response types and extensions of requests and responses. */
export const ocspIds = {
  basic: '1.3.6.1.5.5.7.48.1.1', // RFC 6960 §4.2.1: id-pkix-ocsp-basic
  nonce: '1.3.6.1.5.5.7.48.1.2', // RFC 9654 §2.1
  archiveCutoff: '1.3.6.1.5.5.7.48.1.6', // RFC 6960 §4.4.4
  extendedRevoke: '1.3.6.1.5.5.7.48.1.9', // RFC 6960 §4.4.8
} as const;

/** Policy identifiers and qualifiers of certificatePolicies. */
export const policyIds = {
  anyPolicy: '2.5.29.32.0', // RFC 5280 §4.2.1.4
  cps: '1.3.6.1.5.5.7.2.1', // RFC 5280 §4.2.1.4: id-qt-cps
  unotice: '1.3.6.1.5.5.7.2.2', // RFC 5280 §4.2.1.4: id-qt-unotice
} as const;

/** Types of otherName in general names. */
export const otherNameTypes = {
  hardwareModuleName: '1.3.6.1.5.5.7.8.4', // RFC 4108 §5: id-on-hardwareModuleName
} as const;

/** Key purposes of extendedKeyUsage. */
export const keyPurposes = {
  anyExtendedKeyUsage: '2.5.29.37.0', // RFC 5280 §4.2.1.12
  serverAuth: '1.3.6.1.5.5.7.3.1', // RFC 5280 §4.2.1.12
  clientAuth: '1.3.6.1.5.5.7.3.2', // RFC 5280 §4.2.1.12
  codeSigning: '1.3.6.1.5.5.7.3.3', // RFC 5280 §4.2.1.12
  emailProtection: '1.3.6.1.5.5.7.3.4', // RFC 5280 §4.2.1.12
  timeStamping: '1.3.6.1.5.5.7.3.8', // RFC 5280 §4.2.1.12
  OCSPSigning: '1.3.6.1.5.5.7.3.9', // RFC 5280 §4.2.1.12
  ipsecIKE: '1.3.6.1.5.5.7.3.17', // RFC 4945 §5.1.3.12
  cmcCA: '1.3.6.1.5.5.7.3.27', // RFC 6402 §2
  cmcRA: '1.3.6.1.5.5.7.3.28', // RFC 6402 §2
  cmcArchive: '1.3.6.1.5.5.7.3.29', // RFC 6402 §2
  smartcardLogon: '1.3.6.1.4.1.311.20.2.2', // MS-WCCE
} as const;

/** Keys, signatures, digests and their parameters. */
export const algorithms = {
  rsaEncryption: '1.2.840.113549.1.1.1', // RFC 8017 appendix A.1
  md5WithRSAEncryption: '1.2.840.113549.1.1.4', // RFC 3279 §2.2.1
  sha1WithRSAEncryption: '1.2.840.113549.1.1.5', // RFC 3279 §2.2.1
  rsaesOaep: '1.2.840.113549.1.1.7', // RFC 8017 appendix A.2.1
  mgf1: '1.2.840.113549.1.1.8', // RFC 8017 appendix A.2.1
  rsassaPss: '1.2.840.113549.1.1.10', // RFC 8017 appendix A.2.3
  sha256WithRSAEncryption: '1.2.840.113549.1.1.11', // RFC 4055 §5
  sha384WithRSAEncryption: '1.2.840.113549.1.1.12', // RFC 4055 §5
  sha512WithRSAEncryption: '1.2.840.113549.1.1.13', // RFC 4055 §5
  ecPublicKey: '1.2.840.10045.2.1', // RFC 5480 §2.1.1
  secp256r1: '1.2.840.10045.3.1.7', // RFC 5480 §2.1.1.1
  secp384r1: '1.3.132.0.34', // RFC 5480 §2.1.1.1
  secp521r1: '1.3.132.0.35', // RFC 5480 §2.1.1.1
  ecdsaWithSHA1: '1.2.840.10045.4.1', // RFC 3279 §2.2.3
  ecdsaWithSHA256: '1.2.840.10045.4.3.2', // RFC 5758 §3.2
  ecdsaWithSHA384: '1.2.840.10045.4.3.3', // RFC 5758 §3.2
  ecdsaWithSHA512: '1.2.840.10045.4.3.4', // RFC 5758 §3.2
  x25519: '1.3.101.110', // RFC 8410 §3
  x448: '1.3.101.111', // RFC 8410 §3
  ed25519: '1.3.101.112', // RFC 8410 §3
  ed448: '1.3.101.113', // RFC 8410 §3
  mlDsa44: '2.16.840.1.101.3.4.3.17', // RFC 9881 §2
  mlDsa65: '2.16.840.1.101.3.4.3.18', // RFC 9881 §2
  mlDsa87: '2.16.840.1.101.3.4.3.19', // RFC 9881 §2
  md5: '1.2.840.113549.2.5', // RFC 3279 §2.1
  sha1: '1.3.14.3.2.26', // RFC 3279 §2.1
  sha256: '2.16.840.1.101.3.4.2.1', // RFC 5754 §2.2
  sha384: '2.16.840.1.101.3.4.2.2', // RFC 5754 §2.3
  sha512: '2.16.840.1.101.3.4.2.3', // RFC 5754 §2.4
  hmacWithSHA1: '1.2.840.113549.2.7', // RFC 8018 appendix B.1.1
  hmacWithSHA256: '1.2.840.113549.2.9', // RFC 8018 appendix B.1.2
  hmacWithSHA384: '1.2.840.113549.2.10', // RFC 8018 appendix B.1.2
  hmacWithSHA512: '1.2.840.113549.2.11', // RFC 8018 appendix B.1.2
  pbkdf2: '1.2.840.113549.1.5.12', // RFC 8018 appendix A.2
  aes128Wrap: '2.16.840.1.101.3.4.1.5', // RFC 3394 §3
  aes192Wrap: '2.16.840.1.101.3.4.1.25', // RFC 3394 §3
  aes256Wrap: '2.16.840.1.101.3.4.1.45', // RFC 3394 §3
  aes128Cbc: '2.16.840.1.101.3.4.1.2', // RFC 3565 §4.1
  aes192Cbc: '2.16.840.1.101.3.4.1.22', // RFC 3565 §4.1
  aes256Cbc: '2.16.840.1.101.3.4.1.42', // RFC 3565 §4.1
  aes128Gcm: '2.16.840.1.101.3.4.1.6', // RFC 5084 §3.2
  aes192Gcm: '2.16.840.1.101.3.4.1.26', // RFC 5084 §3.2
  aes256Gcm: '2.16.840.1.101.3.4.1.46', // RFC 5084 §3.2
  desEde3Cbc: '1.2.840.113549.3.7', // RFC 8018 appendix B.2.2
  dhSinglePassStdDhSha256Kdf: '1.3.132.1.11.1', // RFC 5753 §7.1.4
  dhSinglePassStdDhSha384Kdf: '1.3.132.1.11.2', // RFC 5753 §7.1.4
  dhSinglePassStdDhSha512Kdf: '1.3.132.1.11.3', // RFC 5753 §7.1.4
  noSignature: '1.3.6.1.5.5.7.6.2', // RFC 5272 appendix C.1
} as const;

/** PKCS #9 and S/MIME attributes of requests and signatures. */
export const pkcs9Attributes = {
  contentType: '1.2.840.113549.1.9.3', // RFC 5652 §11.1
  messageDigest: '1.2.840.113549.1.9.4', // RFC 5652 §11.2
  signingTime: '1.2.840.113549.1.9.5', // RFC 5652 §11.3
  challengePassword: '1.2.840.113549.1.9.7', // RFC 2985 §5.4.1
  extensionRequest: '1.2.840.113549.1.9.14', // RFC 2985 §5.4.2
  smimeCapabilities: '1.2.840.113549.1.9.15', // RFC 8551 §2.5.2
  decryptKeyIdentifier: '1.2.840.113549.1.9.16.2.37', // RFC 7030 §4.4.1.1
  asymmetricDecryptKeyIdentifier: '1.2.840.113549.1.9.16.2.54', // RFC 7030 §4.4.1.2
  otpChallenge: '1.2.840.113549.1.9.16.2.56', // RFC 7894 §3.1
  revocationChallenge: '1.2.840.113549.1.9.16.2.57', // RFC 7894 §3.2
  estIdentityLinking: '1.2.840.113549.1.9.16.2.58', // RFC 7894 §3.3
  certificationRequestInfoTemplate: '1.2.840.113549.1.9.16.2.61', // RFC 9908 §3.4
  extensionRequestTemplate: '1.2.840.113549.1.9.16.2.62', // RFC 9908 §3.4
  microsoftExtensionRequest: '1.3.6.1.4.1.311.2.1.14', // MS-WCCE §2.2.2.7.7.1: the older place of the same extensions
} as const;

/** CMS content types. */
export const contentTypes = {
  data: '1.2.840.113549.1.7.1', // RFC 5652 §4
  signedData: '1.2.840.113549.1.7.2', // RFC 5652 §5.1
  envelopedData: '1.2.840.113549.1.7.3', // RFC 5652 §6.1
  encryptedData: '1.2.840.113549.1.7.6', // RFC 5652 §8
  authEnvelopedData: '1.2.840.113549.1.9.16.1.23', // RFC 5083 §2.1
  asymmetricKeyPackage: '2.16.840.1.101.2.1.2.78.5', // RFC 5958 §2
  pkiData: '1.3.6.1.5.5.7.12.2', // RFC 5272 §3.2.1
  pkiResponse: '1.3.6.1.5.5.7.12.3', // RFC 5272 §3.2.2
} as const;

/** CMC controls (RFC 5272 §6, RFC 6402 §2). */
export const cmcControls = {
  statusInfo: '1.3.6.1.5.5.7.7.1', // RFC 5272 §6.1.2
  identification: '1.3.6.1.5.5.7.7.2', // RFC 5272 §6.2.3
  identityProof: '1.3.6.1.5.5.7.7.3', // RFC 5272 §6.2.2
  dataReturn: '1.3.6.1.5.5.7.7.4', // RFC 5272 §6.4
  transactionId: '1.3.6.1.5.5.7.7.5', // RFC 5272 §6.6
  senderNonce: '1.3.6.1.5.5.7.7.6', // RFC 5272 §6.6
  recipientNonce: '1.3.6.1.5.5.7.7.7', // RFC 5272 §6.6
  addExtensions: '1.3.6.1.5.5.7.7.8', // RFC 5272 §6.5.2
  encryptedPop: '1.3.6.1.5.5.7.7.9', // RFC 5272 §6.7
  decryptedPop: '1.3.6.1.5.5.7.7.10', // RFC 5272 §6.7
  lraPopWitness: '1.3.6.1.5.5.7.7.11', // RFC 5272 §6.8
  getCert: '1.3.6.1.5.5.7.7.15', // RFC 5272 §6.9
  getCrl: '1.3.6.1.5.5.7.7.16', // RFC 5272 §6.10
  revokeRequest: '1.3.6.1.5.5.7.7.17', // RFC 5272 §6.11
  regInfo: '1.3.6.1.5.5.7.7.18', // RFC 5272 §6.12
  responseInfo: '1.3.6.1.5.5.7.7.19', // RFC 5272 §6.12
  queryPending: '1.3.6.1.5.5.7.7.21', // RFC 5272 §6.13
  popLinkRandom: '1.3.6.1.5.5.7.7.22', // RFC 5272 §6.3.1
  popLinkWitness: '1.3.6.1.5.5.7.7.23', // RFC 5272 §6.3.2
  confirmCertAcceptance: '1.3.6.1.5.5.7.7.24', // RFC 5272 §6.14
  statusInfoV2: '1.3.6.1.5.5.7.7.25', // RFC 5272 §6.1.1
  trustedAnchors: '1.3.6.1.5.5.7.7.26', // RFC 5272 §6.15
  authenticatedData: '1.3.6.1.5.5.7.7.27', // RFC 5272 §6.16
  batchRequests: '1.3.6.1.5.5.7.7.28', // RFC 5272 §6.17
  batchResponses: '1.3.6.1.5.5.7.7.29', // RFC 5272 §6.17
  publishCert: '1.3.6.1.5.5.7.7.30', // RFC 5272 §6.18
  modifyCertificateTemplate: '1.3.6.1.5.5.7.7.31', // RFC 5272 §6.5.1
  controlProcessed: '1.3.6.1.5.5.7.7.32', // RFC 5272 §6.19
  popLinkWitnessV2: '1.3.6.1.5.5.7.7.33', // RFC 5272 §6.3.1.1
  identityProofV2: '1.3.6.1.5.5.7.7.34', // RFC 5272 §6.2.1
  raIdentityWitness: '1.3.6.1.5.5.7.7.35', // RFC 6402 §2
  changeSubjectName: '1.3.6.1.5.5.7.7.36', // RFC 6402 §2
  responseBody: '1.3.6.1.5.5.7.7.37', // RFC 6402 §2
} as const;
