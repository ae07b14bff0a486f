import type { VNode } from 'preact'
import { links } from '../links.ts'

/** The description of the API as far as it is shown. */
export interface ApiDocument {
  tags: readonly { name: string; description?: string }[]
  paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>
}

interface ApiOperation {
  operationId: string
  summary: string
  description?: string
  tags: readonly string[]
  'x-scope': string
  parameters?: readonly { name: string; in: string; required?: boolean; description?: string }[]
  responses: Readonly<Record<string, { $ref?: string; description?: string }>>
}

interface Listed {
  method: string
  path: string
  operation: ApiOperation
}

/** Every operation by its tag: what it does, which scope it asks for, how it may be refused. */
export const ApiPage = ({ api }: { api: ApiDocument }): VNode => {
  const all = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Listed => ({ method: method.toUpperCase(), path, operation })),
  )
  return (
    <>
      <p class="lead">
        Made of the schemas that validate. The document itself, with every shape, is served to participants at{' '}
        <code>/v1/openapi.json</code>.
      </p>
      {api.tags.map(({ name, description }) => (
        <section key={name} class="part">
          <h2 id={name.toLowerCase()}>{name}</h2>
          {description !== undefined && <p class="muted">{inCode(description)}</p>}
          {all
            .filter(({ operation }) => operation.tags.includes(name))
            .map((one) => (
              <Operation key={one.operation.operationId} {...one} />
            ))}
        </section>
      ))}
    </>
  )
}

const Operation = ({ method, path, operation }: Listed): VNode => (
  <details class="operation" id={operation.operationId}>
    <summary>
      <code>
        {method} {path}
      </code>{' '}
      {inCode(operation.summary)}
    </summary>
    {operation.description !== undefined && <p>{inCode(operation.description)}</p>}
    <dl class="facts">
      <dt>scope</dt>
      <dd>
        <code>{operation['x-scope']}</code>
      </dd>
      {(operation.parameters ?? []).length > 0 && <dt>parameters</dt>}
      {(operation.parameters ?? []).length > 0 && (
        <dd>
          {operation.parameters?.map(({ name, in: place, required }) => (
            <span key={name}>
              <code>{name}</code> <span class="muted">{`${place}${required === true ? ', required' : ''}`}</span>{' '}
            </span>
          ))}
        </dd>
      )}
      <dt>refusals</dt>
      <dd>
        {refusalsOf(operation).map((code) => (
          <span key={code}>
            <a href={links.manual(`errors/${code}`)}>{code}</a>{' '}
          </span>
        ))}
      </dd>
    </dl>
  </details>
)

/** Text of the document, in which names stand between backticks. */
const inCode = (text: string): (string | VNode)[] =>
  text.split('`').map((part, index) => (index % 2 === 0 ? part : <code key={index}>{part}</code>))

/** A shared response is named by listener, status and the codes that it may have. */
const refusalsOf = ({ responses }: ApiOperation): string[] =>
  Object.values(responses).flatMap(({ $ref }) =>
    $ref === undefined ? [] : ($ref.split('/').slice(-1)[0]?.split('.').slice(2) ?? []),
  )
