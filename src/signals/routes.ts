import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import { LIMITS } from '../http/limits.ts'
import { paced } from '../http/pace.ts'
import { Refusal } from '../kernel/errors.ts'
import { isUuid, type Uuid } from '../kernel/ids.ts'
import {
  GivenValue,
  OwnSignalResult,
  SignalParams,
  Submission,
  SubmissionQuery,
  SubmissionResult,
  UploadJob,
  UploadJobList,
  UploadParams,
  UploadPlace,
  ValueResult,
} from './schema.ts'
import type { SignalService } from './service.ts'
import { takeUpload } from './upload.ts'
import type { UploadJobs } from './upload-jobs.ts'
import type { UploadStreams } from './upload-streams.ts'

const PACE = {
  bytesPerSecond: LIMITS.stream_bytes_per_second,
  graceMs: LIMITS.stream_grace_seconds * 1_000,
  leadMs: LIMITS.stream_lead_seconds * 1_000,
}
const NDJSON = 'application/x-ndjson'

export interface SignalRoutesOptions {
  signals: SignalService
  uploading: UploadStreams
}

/** What a source sends and asks of its own. */
export const signalRoutes: FastifyPluginAsyncTypebox<SignalRoutesOptions> = async (app, { signals, uploading }) => {
  app.post(
    '/v1/submissions',
    {
      config: { scope: 'signals:submit', jsonString: LIMITS.item_bytes },
      schema: {
        ...{ querystring: SubmissionQuery, body: Submission },
        response: { 200: SubmissionResult, 201: SubmissionResult },
      },
      bodyLimit: LIMITS.submission_bytes,
    },
    async ({ peer, query, body }, reply) => {
      if (query.dry_run === 'true') return signals.tryOut(peer, body)
      const result = await signals.submit(peer, body)
      if (result.receipt !== undefined) reply.code(201).header('location', result.receipt)
      return result
    },
  )

  app.register(async (streams) => {
    takeStreams(streams, uploading)
    streams.post(
      '/v1/submissions/stream',
      { config: { scope: 'signals:submit', stream: true, bulk: true }, bodyLimit: LIMITS.stream_bytes },
      async ({ peer, headers, body, raw }, reply) => {
        if (!(body instanceof Readable)) {
          throw new Refusal('unsupported-media-type', { detail: `a stream is ${NDJSON}` })
        }
        const place = placeOf(headers)
        const lines = takeUpload({
          ...place,
          chunks: paced(body.iterator({ destroyOnReturn: false }), PACE),
          bytes: LIMITS.stream_bytes,
          lines: LIMITS.stream_lines,
          submit: (submission, position) => signals.submit(peer, submission, position),
        })
        reply.raw.once('finish', () => leave(raw))
        return reply.type(NDJSON).send(Readable.from(lines, { objectMode: false }))
      },
    )
  })

  app.get(
    '/v1/signals/:signal',
    { config: { scope: 'signals:submit' }, schema: { params: SignalParams, response: { 200: OwnSignalResult } } },
    async ({ peer, params }) => signals.own(peer.participant, params.signal),
  )

  app.put(
    '/v1/signals/:signal/value',
    {
      config: { scope: 'signals:submit', jsonString: LIMITS.sealed_value_characters },
      schema: { params: SignalParams, body: GivenValue, response: { 200: ValueResult } },
    },
    async ({ peer, params, body }, reply) => {
      reply.header('cache-control', 'no-store')
      return signals.values.give(peer, params.signal, body)
    },
  )
}

export interface UploadRoutesOptions {
  signals: Pick<SignalService, 'nextLine'>
  uploads: UploadJobs
  uploading: UploadStreams
}

/** How far uploads are, and those that go on after their sender has gone. */
export const uploadRoutes: FastifyPluginAsyncTypebox<UploadRoutesOptions> = async (
  app,
  { signals, uploads, uploading },
) => {
  app.register(async (streams) => {
    takeStreams(streams, uploading)
    streams.put<{ Params: { upload_id: Uuid } }>(
      '/v1/uploads/:upload_id',
      {
        config: { scope: 'signals:submit', stream: true, bulk: true },
        schema: { params: UploadParams, response: { 202: UploadJob } },
        bodyLimit: LIMITS.upload_job_bytes,
      },
      async ({ peer, body, params, raw }, reply) => {
        if (!(body instanceof Readable))
          throw new Refusal('unsupported-media-type', { detail: `an upload is ${NDJSON}` })
        const chunks = paced(body.iterator({ destroyOnReturn: false }), PACE)
        // An upload that is here already is answered before it is read.
        reply.raw.once('finish', () => leave(raw))
        const job = await uploads.receive(peer, params.upload_id, chunks)
        return reply.code(202).header('location', `/v1/uploads/${job.upload}`).send(job)
      },
    )
  })

  app.get(
    '/v1/uploads',
    { config: { scope: 'signals:submit' }, schema: { response: { 200: UploadJobList } } },
    async ({ peer }) => ({ uploads: await uploads.list(peer.participant) }),
  )

  app.get(
    '/v1/uploads/:upload_id',
    { config: { scope: 'signals:submit' }, schema: { params: UploadParams, response: { 200: UploadPlace } } },
    async ({ peer, params }) => {
      const job = await uploads.of(peer.participant, params.upload_id)
      const next_line = String(await signals.nextLine(peer.participant, params.upload_id))
      return { next_line, ...(job === undefined ? {} : { job }) }
    },
  )

  app.get<{ Params: { upload_id: Uuid } }>(
    '/v1/uploads/:upload_id/results',
    { config: { scope: 'signals:submit', bulk: true }, schema: { params: UploadParams } },
    async ({ peer, params }, reply) => {
      const parts = await uploads.results(peer.participant, params.upload_id)
      return reply.type(NDJSON).send(Readable.from(parts, { objectMode: false }))
    },
  )
}

/** Bodies as they come, so many of one credential at a time. */
function takeStreams(streams: FastifyInstance, uploading: UploadStreams): void {
  // JSON would be gathered in memory up to the limit of a stream.
  streams.removeAllContentTypeParsers()
  streams.addContentTypeParser(NDJSON, (_request, payload, done) => done(null, payload))
  streams.addHook('onRequest', async ({ peer }, reply) => {
    // Who has gone already would never give its place back.
    if (!reply.raw.closed) reply.raw.once('close', uploading.take(peer.credential))
  })
}

/**
 * Ends the connection of a stream whose answer ended before it did: unread, the rest would hold up the next request for
 * ever. Until the client notices, what it still sends is passed over, since a reset could cost it the answer's end.
 */
function leave(stream: IncomingMessage): void {
  if (stream.readableEnded) return
  stream.resume()
  stream.socket.end()
}

/** The upload that the stream belongs to and the number of its first line here. */
function placeOf(headers: IncomingHttpHeaders): { upload_id: Uuid; line: bigint } {
  const { 'upload-id': upload_id, 'upload-line': line = '1' } = headers
  if (typeof upload_id !== 'string' || !isUuid(upload_id)) {
    throw new Refusal('invalid-header', { detail: 'Upload-Id is a UUID of your own choice, the same for every part' })
  }
  if (typeof line !== 'string' || !/^[1-9][0-9]{0,14}$/.test(line)) {
    throw new Refusal('invalid-header', { detail: 'Upload-Line is the number of the first line that follows' })
  }
  return { upload_id, line: BigInt(line) }
}
