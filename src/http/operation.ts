import type { FastifyContextConfig } from 'fastify'
import type { TSchema } from 'typebox'
import type { ErrorCode } from '../kernel/errors.ts'

export type ListenerName = 'partner' | 'enrol'

/** A route as its plugin registered it. */
export interface Route {
  listener: ListenerName
  method: string
  url: string
  config: FastifyContextConfig
  bodyLimit: number
  schema: { body?: object; querystring?: object; params?: object; response?: Readonly<Record<string, object>> }
}

/** Headers of requests, and of answers, by the name of their description in the document. */
export type RequestHeader = 'Upload-Id' | 'Upload-Line' | 'Idempotency-Key' | 'Last-Event-ID' | 'If-Match'
export type AnswerHeader =
  | 'Provenance-Read'
  | 'Provenance-Checkpoint'
  | 'Feed-Cursor'
  | 'Feed-Signature'
  | 'Retry-After'
  | 'Location'
  | 'ETag'
  | 'Provenance-Witnessed'
  | 'Idempotent-Replayed'

/** A body that is no JSON document. */
export interface Content {
  type: string
  /** Of a stream of lines: what a line is, alone or as the one member of an object. */
  lines?: readonly (readonly [member: string | null, schema: TSchema])[]
  description: string
}

export interface Answer {
  description: string
  headers?: readonly AnswerHeader[]
  /** Several where the request says which. */
  content?: Content | readonly Content[]
}

/** What the document says of a route and its schemas do not. */
export interface Operation {
  id: string
  /** One line: what it does, and what it does not. */
  summary: string
  description?: string
  /** Refusals beside those that its kind of route has. */
  codes?: readonly ErrorCode[]
  /** Refusals of single items, in an answer that is none itself. */
  itemCodes?: readonly ErrorCode[]
  headers?: readonly RequestHeader[]
  body?: Content
  answers?: Readonly<Record<number, Answer>>
  /** It changes something, or writes a read down before it answers: the database and the log have to take it. */
  commits?: true
}
