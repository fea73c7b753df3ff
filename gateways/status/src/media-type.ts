// Content-Type of an OCSP POST, RFC 6960 appendix A.1. One that is missing is taken for the right one: the octets say
// themselves whether they are a request, and there is nothing else that could be posted here.

const form = /^[ \t]*application\/ocsp-request[ \t]*(?:;|$)/i;

/** Whether a Content-Type field says that the body is an OCSP request. */
export function isOcspRequestType(field: string | undefined): boolean {
  return field === undefined || form.test(field);
}
