/**
 * Verifications as one run of octets: what travels to the thread is copied once and handed over whole, because cloning
 * each view would clone the buffer behind it.
 */

/** What is to be verified. */
export type Task =
  /** The self-signature of a PKCS#10, DER. */
  | { readonly kind: 'request'; readonly certificationRequest: Uint8Array }
  /** That a certificate is the intended one and signed by the issuer with this number. */
  | { readonly kind: 'issued'; readonly certificate: Uint8Array; readonly tbs: Uint8Array; readonly issuer: number };

/** For each task of a batch why it failed, or undefined where it holds. */
export type Outcomes = readonly (string | undefined)[];

const headerLength = 9;
const requestMark = 0xff;

/** Packs tasks; the answer's buffer holds nothing else and may be transferred. */
export function packTasks(tasks: readonly Task[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const task of tasks) {
    length +=
      headerLength +
      (task.kind === 'request' ? task.certificationRequest.length : task.certificate.length + task.tbs.length);
  }
  const packed = new Uint8Array(length);
  const view = new DataView(packed.buffer);
  let offset = 0;
  for (const task of tasks) {
    const [mark, first, second] =
      task.kind === 'request'
        ? [requestMark, task.certificationRequest, undefined]
        : [task.issuer, task.certificate, task.tbs];
    packed[offset] = mark;
    view.setUint32(offset + 1, first.length);
    view.setUint32(offset + 5, second?.length ?? 0);
    packed.set(first, offset + headerLength);
    if (second !== undefined) packed.set(second, offset + headerLength + first.length);
    offset += headerLength + first.length + (second?.length ?? 0);
  }
  return packed;
}

/** Unpacks what {@link packTasks} made; the parts are views. */
export function unpackTasks(packed: Uint8Array): readonly Task[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  const tasks: Task[] = [];
  for (let offset = 0; offset < packed.length; ) {
    const mark = view.getUint8(offset);
    const middle = offset + headerLength + view.getUint32(offset + 1);
    const end = middle + view.getUint32(offset + 5);
    const first = packed.subarray(offset + headerLength, middle);
    tasks.push(
      mark === requestMark
        ? { kind: 'request', certificationRequest: first }
        : { kind: 'issued', certificate: first, tbs: packed.subarray(middle, end), issuer: mark },
    );
    offset = end;
  }
  return tasks;
}
