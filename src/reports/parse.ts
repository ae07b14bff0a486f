import { Compile } from 'typebox/compile'
import { firstFault } from '../kernel/schema.ts'
import { metricOf } from './metric.ts'
import { REPORT_BYTES_MAX, Report } from './schema.ts'

/** A file that is no report; the message says where. */
export class ReportMalformed extends Error {
  constructor(says: string, options?: ErrorOptions) {
    super(`no report: ${says}`, options)
    this.name = 'ReportMalformed'
  }
}

const validator = Compile(Report)

/** Throws `ReportMalformed`. */
export function parseReport(text: string): Report {
  if (text.length > REPORT_BYTES_MAX) throw new ReportMalformed(`longer than ${REPORT_BYTES_MAX} characters`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ReportMalformed('not JSON', { cause: error })
  }
  if (validator.Check(value)) {
    const unknown = value.figures.find(({ id }) => metricOf(id) === undefined)
    if (unknown !== undefined) throw new ReportMalformed(`${unknown.id} is no figure that this version knows`)
    return value
  }
  const { pointer, detail } = firstFault(validator, value)
  throw new ReportMalformed(`${pointer || '/'} ${detail}`)
}
