import type { Uuid } from '../kernel/ids.ts'
import type { UploadJob, UploadJobList, UploadLine, UploadPlace } from '../signals/schema.ts'
import { linesOf, writeLines } from './lines.ts'
import { ANSWER_MAX, collect, refusalIn, type Transport } from './transport.ts'

/** Uploads that the node works off while nobody is connected. */
export interface UploadClient {
  /** Sends a whole prepared NDJSON stream; answers once the node has all of it. Sent again it changes nothing. */
  put(upload: Uuid, lines: AsyncIterable<string | Buffer>): Promise<UploadJob>
  /** How far an upload is; without `job` it was none of these. */
  get(upload: Uuid): Promise<UploadPlace>
  list(): Promise<UploadJobList>
  /** What a stream would have answered, once it was worked off; `state-conflict` before. */
  results(upload: Uuid): AsyncGenerator<UploadLine>
}

const NDJSON = 'application/x-ndjson'

export function uploadsOver(transport: Transport, get: <T>(path: string) => Promise<T>): UploadClient {
  return {
    get: (upload) => get(`/v1/uploads/${upload}`),
    list: () => get('/v1/uploads'),
    async put(upload, lines) {
      const message = await transport.open({
        ...{ method: 'PUT', path: `/v1/uploads/${upload}`, type: NDJSON },
        write: (out) => writeLines(out, lines),
      })
      if (message.statusCode !== 202) throw await refusalIn(message)
      return JSON.parse((await collect(message)).toString()) as UploadJob
    },
    async *results(upload) {
      const message = await transport.stream(`/v1/uploads/${upload}/results`)
      try {
        for await (const line of linesOf(message, ANSWER_MAX)) if (line !== '') yield JSON.parse(line) as UploadLine
      } finally {
        message.destroy()
      }
    },
  }
}
