/** How far something has got, as one line on the terminal that is written again and again; elsewhere nothing. */

/** A line of progress. */
export type Progress = {
  /** Replaces what stands there. */
  show(text: string): void;
  /** Takes the line away. */
  end(): void;
};

const eraseLine = '\r\u001b[2K';

/** Begins a line on standard error, if that is a terminal. */
export function startProgress(stream: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = process.stderr): Progress {
  const write = (text: string): void => {
    if (stream.isTTY) stream.write(text);
  };
  return { show: (text) => write(`${eraseLine}${text}`), end: () => write(eraseLine) };
}
