import { readFileSync } from 'node:fs'
import type { ErrorCode } from '../../src/kernel/errors.ts'
import type { Call } from './world.ts'

interface Answers {
  [status: string]: { $ref?: string; 'x-codes'?: ErrorCode[] }
}
interface Document {
  paths: Record<string, Record<string, { responses: Answers }>>
  components: { responses: Record<string, Answers[string]> }
}

const { paths, components } = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as Document

/** Every code that the published description has for a call; undefined where it knows no such path or method. */
export function describedCodes({ method = 'GET', path }: Call): ErrorCode[] | undefined {
  const [plain = ''] = path.split('?')
  const found = Object.entries(paths).find(([template]) => patternOf(template).test(plain))
  const operation = found?.[1][method.toLowerCase()]
  if (operation === undefined) return undefined
  return Object.values(operation.responses).flatMap((answer) => resolved(answer)['x-codes'] ?? [])
}

const resolved = (answer: Answers[string]): Answers[string] =>
  answer.$ref === undefined ? answer : (components.responses[answer.$ref.split('/').at(-1) ?? ''] ?? answer)

const patternOf = (template: string): RegExp =>
  new RegExp(
    `^${template
      .replaceAll('.', '\\.')
      .replace('{path}', '.+')
      .replaceAll(/\{[a-z_]+\}/g, '[^/]+')}$`,
  )
