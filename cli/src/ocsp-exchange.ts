/** One question to an OCSP responder over HTTP, RFC 6960 appendix A. What comes back is not looked into. */
import { FatalError } from '@gatehouse/runtime/fatal';
import { fetchOctets } from './http.ts';

/** How it is asked. */
export type Method = 'GET' | 'POST';

/** What {@link askResponder} takes. */
export type Question = {
  readonly url: string;
  /** OCSPRequest, DER. */
  readonly request: Uint8Array;
  /** GET as long as the URL stays short, unless told. */
  readonly method?: Method | undefined;
};

/** What came. */
export type Answered = { readonly method: Method /** OCSPResponse, DER. */; readonly response: Buffer };

const requestType = 'application/ocsp-request';
const responseType = 'application/ocsp-response';
/** RFC 6960 appendix A.1: GET is for requests that, encoded, are smaller than 255 octets; RFC 5019 §5 counts the whole URL. */
const longestUrl = 255;
/** A response with a chain of ML-DSA certificates has some 20 KB. */
const maximumOctets = 64 * 1024;

/** Asks. Throws FatalError that names the URL when what comes is no OCSP response. */
export async function askResponder({ url, request, method }: Question): Promise<Answered> {
  const getUrl = `${url.replace(/\/$/, '')}/${encodeURIComponent(Buffer.from(request).toString('base64'))}`;
  const chosen = method ?? (getUrl.length <= longestUrl ? 'GET' : 'POST');
  const { status, mediaType, octets } =
    chosen === 'GET'
      ? await fetchOctets(getUrl, { maximumOctets, headers: { accept: responseType } })
      : await fetchOctets(url, {
          maximumOctets,
          headers: { accept: responseType, 'content-type': requestType },
          body: request,
        });
  if (mediaType === responseType) return { method: chosen, response: octets };
  throw new FatalError(`${url} answered ${status}${mediaType === '' ? '' : ` with ${mediaType}`}, no OCSP response`, {
    hint:
      status < 500
        ? 'is it the URL of an OCSP responder? Try --post, or another URL with --url'
        : 'something is wrong there; try again later',
  });
}
