// The field Content-Transfer-Encoding for clients that refuse an answer without it: RFC 7030 §4.1.3 had servers send it,
// RFC 8951 §3.1 has everybody ignore it, and some clients in the field are of the time between. It changes no body.

import type { EstAnswer } from './exchange.ts';

const field = 'Content-Transfer-Encoding: base64';

/** The answer, with the field where there is base64: in its header, or in each part of a multipart body. */
export function withContentTransferEncoding(answer: EstAnswer): EstAnswer {
  const { status, contentType, body } = answer;
  if (status !== 200 || contentType === undefined || body === undefined) return answer;
  if (contentType.startsWith('multipart/')) {
    return { ...answer, body: body.replaceAll(/^(Content-Type: [^\r\n]+)\r\n\r\n/gm, `$1\r\n${field}\r\n\r\n`) };
  }
  return { ...answer, headers: { ...answer.headers, 'content-transfer-encoding': 'base64' } };
}
