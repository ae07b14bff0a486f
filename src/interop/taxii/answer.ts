import { CATALOGUE, type Refusal } from '../../kernel/errors.ts'
import { instantText } from './instant.ts'
import { STIX_TYPE, TAXII_TYPE } from './media-type.ts'
import type { TaxiiAnswer, TaxiiRecord } from './port.ts'

export function taxiiAnswer(
  status: number,
  value: object,
  headers: Readonly<Record<string, string>> = {},
): TaxiiAnswer {
  return textAnswer(status, JSON.stringify(value), headers)
}

function textAnswer(status: number, text: string, headers: Readonly<Record<string, string>>): TaxiiAnswer {
  const own = { 'content-type': TAXII_TYPE, 'cache-control': 'no-store', ...headers }
  return { status, headers: own, body: Buffer.from(text) }
}

/** The protocol's own error; its status is a text. */
export function taxiiError(refusal: Refusal, requestId: string): TaxiiAnswer {
  const { code, status, detail, retryAfter, extra } = refusal
  const value = {
    title: CATALOGUE[code][1],
    ...(detail === undefined ? {} : { description: detail }),
    ...{ error_id: requestId, error_code: code, http_status: String(status) },
    ...(Object.keys(extra).length === 0 ? {} : { details: extra }),
  }
  const answer = taxiiAnswer(status, value, {
    ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    ...(status === 401 ? { 'www-authenticate': 'Basic realm="aldis", charset="UTF-8"' } : {}),
  })
  return { ...answer, code }
}

export type PageForm = 'objects' | 'manifest' | 'versions'

/** A page; `next` wherever there is more, since clients that get none begin again from the start. */
export function pageAnswer(form: PageForm, records: readonly TaxiiRecord[], next: string | undefined): TaxiiAnswer {
  const [first, last] = [records[0], records.at(-1)]
  const parts = next === undefined ? [] : [`"more":true,"next":${JSON.stringify(next)}`]
  // A list is left out where it would be empty.
  if (first === undefined || last === undefined) return textAnswer(200, `{${parts.join()}}`, {})
  parts.push(`"${form === 'versions' ? 'versions' : 'objects'}":[${records.map(TEXT_OF[form]).join()}]`)
  return textAnswer(200, `{${parts.join()}}`, {
    'x-taxii-date-added-first': instantText(first.added),
    'x-taxii-date-added-last': instantText(last.added),
  })
}

const TEXT_OF: Readonly<Record<PageForm, (record: TaxiiRecord) => string>> = {
  objects: ({ text }) => text,
  versions: ({ version }) => JSON.stringify(version),
  manifest: ({ id, added, version }) =>
    JSON.stringify({ id, date_added: instantText(added), version, media_type: STIX_TYPE }),
}
