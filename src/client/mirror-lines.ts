import type { Received } from './client.ts'

/**
 * A line of a mirror: an event, or what proves the submission of the events that follow. Mirrors of before have the proof in the line of each
 * event.
 */
export type MirrorLine = Partial<Received>

/**
 * Events as lines, each submission before the first of its events. What is appended at once begins anew, so that whoever reads on from a
 * place finds what it needs behind it.
 */
export function mirrorLines(received: readonly Received[]): string {
  const lines: string[] = []
  let last: Received['proof']
  for (const { event, proof } of received) {
    if (event.item !== undefined && proof !== undefined && proof !== last) {
      lines.push('{"proof":', JSON.stringify(proof), '}\n')
      last = proof
    }
    lines.push('{"event":', JSON.stringify(event), '}\n')
  }
  return lines.join('')
}

/** The same again. */
export function receivedOfLines(lines: Uint8Array): Received[] {
  let last: Received['proof']
  return Buffer.from(lines.buffer, lines.byteOffset, lines.length)
    .toString()
    .split('\n')
    .flatMap((line) => {
      const { event, proof }: MirrorLine = line === '' ? {} : JSON.parse(line)
      last = proof ?? last
      return event === undefined ? [] : [{ event, proof: event.item === undefined ? undefined : last }]
    })
}
