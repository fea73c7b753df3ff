/** The URLs of our ACME gates that the core reads; one of another directory, or of another resource, is not ours. */

/** Ids in URLs are unguessable text, base64url. */
const idForm = /^[A-Za-z0-9_-]{1,64}$/;

/** Reads URLs below the base URLs of the gates. */
export type AcmeUrls = {
  /** Whether there is any gate. */
  readonly isKnown: boolean;
  /** Id in the URL of an account; undefined when it is none of ours. */
  accountId(url: string): string | undefined;
  /** Id of the order in a finalize URL. */
  finalizedOrderId(url: string): string | undefined;
  isKeyChange(url: string): boolean;
};

/** @param baseUrls without slash at the end; several names of one gate, or several gates */
export function createAcmeUrls(baseUrls: readonly string[]): AcmeUrls {
  const paths = (url: string): readonly string[] =>
    baseUrls.flatMap((base) => (url.startsWith(`${base}/acme/`) ? [url.slice(base.length + '/acme/'.length)] : []));
  const idIn = (url: string, prefix: string, suffix: string): string | undefined => {
    for (const path of paths(url)) {
      const id = path.slice(prefix.length, path.length - suffix.length);
      if (path === `${prefix}${id}${suffix}` && idForm.test(id)) return id;
    }
    return undefined;
  };
  return {
    isKnown: baseUrls.length > 0,
    accountId: (url) => idIn(url, 'account/', ''),
    finalizedOrderId: (url) => idIn(url, 'order/', '/finalize'),
    isKeyChange: (url) => paths(url).includes('key-change'),
  };
}
