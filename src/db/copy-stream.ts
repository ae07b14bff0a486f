import type { Duplex } from 'node:stream'
import pg from 'pg'
import { drained } from '../kernel/drained.ts'

/** Takes what a COPY gives, some hundred kilobytes at once; the server waits while it does. */
export type Sink = (bytes: Buffer) => Promise<void>

/** What `pg` hands to a query that copies. */
interface Wire {
  stream: Duplex
  sendCopyFromChunk(chunk: Uint8Array): void
  endCopyFrom(): void
  sendCopyFail(message: string): void
}

interface Queried {
  rowCount: number | null
}

/** A message is a row, and a write for each would take longer than the row. */
const GATHERED = 262_144

/** COPY .. TO STDOUT, message by message: the driver itself passes over the data. */
class CopyOut extends pg.Query {
  private fault: Error | undefined
  private readonly take: (message: Buffer) => void

  constructor(text: string, take: (message: Buffer) => void, done: (error: Error | null | undefined) => void) {
    super(text, (error) => done(error ?? this.fault))
    this.take = take
  }

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    if (this.fault !== undefined) return
    try {
      this.take(chunk)
    } catch (error) {
      this.fault = error as Error
    }
  }
}

/** COPY .. TO STDOUT into a sink that may be slower than the server. */
class CopyTo extends pg.Query {
  private gathered: Buffer[] = []
  private length = 0
  private written: Promise<void> = Promise.resolve()
  private readonly sink: Sink

  constructor(text: string, sink: Sink, done: (error: Error | null | undefined, result: Queried) => void) {
    super(text, (error, result) => {
      this.flush()
      this.written.then(
        () => done(error, result),
        (fault: Error) => done(fault, result),
      )
    })
    this.sink = sink
  }

  handleCopyData({ chunk }: { chunk: Buffer }, { stream }: Wire): void {
    // The parser writes on in the buffer that this is a part of.
    this.gathered.push(Buffer.from(chunk))
    this.length += chunk.length
    if (this.length < GATHERED) return
    stream.pause()
    this.flush()
    this.written.then(
      () => stream.resume(),
      // The rest is of no use to anybody.
      () => stream.destroy(),
    )
  }

  private flush(): void {
    const bytes = Buffer.concat(this.gathered)
    this.gathered = []
    this.length = 0
    if (bytes.length > 0) this.written = this.written.then(() => this.sink(bytes))
  }
}

/** COPY .. FROM STDIN out of a source; a source that fails fails the statement. */
class CopyFrom extends pg.Query {
  private over = false
  private fault: Error | undefined
  private readonly source: AsyncIterable<Uint8Array>

  constructor(
    text: string,
    source: AsyncIterable<Uint8Array>,
    done: (error: Error | null | undefined, result: Queried) => void,
  ) {
    super(text, (error, result) => {
      this.over = true
      done(this.fault ?? error, result)
    })
    this.source = source
  }

  handleCopyInResponse(wire: Wire): void {
    this.send(wire).then(
      () => wire.endCopyFrom(),
      (fault: Error) => {
        this.fault = fault
        wire.sendCopyFail('the source failed')
      },
    )
  }

  private async send(wire: Wire): Promise<void> {
    for await (const chunk of this.source) {
      // The server has refused a row: it no longer listens.
      if (this.over) return
      wire.sendCopyFromChunk(chunk)
      if (wire.stream.writableNeedDrain) await drained(wire.stream)
    }
  }
}

interface Client {
  query(query: pg.Query): unknown
}

/** The messages of a COPY .. TO STDOUT, one after the other. */
export const copyOut = (client: Client, text: string, take: (message: Buffer) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    client.query(new CopyOut(text, take, (error) => (error ? reject(error) : resolve())))
  })

/** Rows that a COPY .. TO STDOUT gave. */
export const copyTo = (client: Client, text: string, sink: Sink): Promise<number> =>
  new Promise((resolve, reject) => {
    client.query(new CopyTo(text, sink, (error, result) => (error ? reject(error) : resolve(result.rowCount ?? 0))))
  })

/** Rows that a COPY .. FROM STDIN took. */
export const copyFrom = (client: Client, text: string, source: AsyncIterable<Uint8Array>): Promise<number> =>
  new Promise((resolve, reject) => {
    client.query(new CopyFrom(text, source, (error, result) => (error ? reject(error) : resolve(result.rowCount ?? 0))))
  })
