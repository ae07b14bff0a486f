import { CATALOGUE, type Refusal } from '../../kernel/errors.ts'
import { instantText } from './instant.ts'
import { STIX_TYPE, TAXII_TYPE } from './media-type.ts'
import type { TaxiiAnswer, TaxiiRecord } from './port.ts'

export function taxiiAnswer(
  status: number,
  value: object,
  headers: Readonly<Record<string, string>> = {},
): TaxiiAnswer {
  return bytesAnswer(status, Buffer.from(JSON.stringify(value)), headers)
}

function bytesAnswer(status: number, body: Buffer, headers: Readonly<Record<string, string>>): TaxiiAnswer {
  return { status, headers: { 'content-type': TAXII_TYPE, 'cache-control': 'no-store', ...headers }, body }
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
  const more = next === undefined ? {} : { more: true, next }
  // A list is left out where it would be empty.
  if (first === undefined || last === undefined) return taxiiAnswer(200, more)
  const list = `"${form === 'versions' ? 'versions' : 'objects'}":[`
  const head = next === undefined ? `{${list}` : `${JSON.stringify(more).slice(0, -1)},${list}`
  const parts = records.flatMap((record, i) => [i === 0 ? Buffer.from(head) : COMMA, BYTES_OF[form](record)])
  return bytesAnswer(200, Buffer.concat([...parts, END]), {
    'x-taxii-date-added-first': instantText(first.added),
    'x-taxii-date-added-last': instantText(last.added),
  })
}

const [COMMA, END] = [Buffer.from(','), Buffer.from(']}')]

const BYTES_OF: Readonly<Record<PageForm, (record: TaxiiRecord) => Buffer>> = {
  objects: ({ bytes }) => bytes,
  versions: ({ version }) => Buffer.from(JSON.stringify(version)),
  manifest: ({ id, added, version }) =>
    Buffer.from(JSON.stringify({ id, date_added: instantText(added), version, media_type: STIX_TYPE })),
}
