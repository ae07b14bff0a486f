import type { ComponentChildren, VNode } from 'preact'
import type { Href } from '../links.ts'
import { KeyHint } from './own-keys.tsx'

interface FormProps {
  action: Href
  /** Of the viewer. */
  csrf: string
  /** Made with the page: a second press with the same one does nothing. */
  once?: string
  /** Attributes of htmx, from `hx` and `refusalsTo`; without them the form is a plain one. */
  exchange?: Readonly<Record<string, string>>
  id?: string
  label?: string
  class?: string
  /** Until a script shows it. */
  hidden?: boolean
  children: ComponentChildren
}

/** Always a POST with the session's token; it does its work without JavaScript too. */
export const Form = ({
  action,
  csrf,
  once,
  exchange = {},
  id,
  label,
  class: name,
  hidden,
  children,
}: FormProps): VNode => (
  <form method="post" action={action} id={id} aria-label={label} class={name} hidden={hidden} {...exchange}>
    <input type="hidden" name="csrf" value={csrf} />
    {once !== undefined && <input type="hidden" name="once" value={once} />}
    {children}
  </form>
)

interface FieldProps {
  name: string
  label: string
  /** What is expected, before anything is typed. */
  hint?: string | undefined
  /** Why it was refused, after. */
  error?: string | undefined
  /** Where two forms of a page have a field of one name. */
  id?: string
  /** Said by its border and its label: who will read it. */
  reader?: 'shared' | 'private'
}

interface InputProps extends FieldProps {
  /** A text unless said otherwise. */
  type?: 'text' | 'date'
  value?: string | undefined
  required?: boolean
  maxLength?: number
  pattern?: string
  inputMode?: 'numeric' | 'text'
  autoComplete?: 'off'
  width?: 'narrow' | 'wide'
}

export function Field(props: InputProps): VNode {
  const { name, value, required, maxLength, pattern, inputMode, autoComplete = 'off', width } = props
  const id = props.id ?? `f-${name}`
  const attributes = {
    ...{ id, name, value, required, maxLength, pattern, inputMode, autoComplete },
    class: width === undefined ? 'input' : `input input-${width}`,
    'aria-describedby': describedBy(id, props),
    'aria-invalid': props.error === undefined ? undefined : true,
  }
  return (
    <Labelled {...props} id={id}>
      {props.type === 'date' ? <input type="date" {...attributes} /> : <input type="text" {...attributes} />}
    </Labelled>
  )
}

interface TextAreaProps extends FieldProps {
  value?: string | undefined
  rows?: number
  maxLength?: number
  required?: boolean
}

/** Free text of a person: a morph of the page leaves it alone. */
export function TextArea(props: TextAreaProps): VNode {
  const { name, value, rows = 3, maxLength, required } = props
  const id = props.id ?? `f-${name}`
  return (
    <Labelled {...props} id={id}>
      <textarea
        {...{ id, name, rows, maxLength, required }}
        class={props.reader === undefined ? 'input' : `input input-${props.reader}`}
        aria-describedby={describedBy(id, props)}
        aria-invalid={props.error === undefined ? undefined : true}
        data-keep={name}
        hx-morph-skip
      >
        {value}
      </textarea>
    </Labelled>
  )
}

export interface Choice {
  value: string
  label: string
}

interface SelectProps extends FieldProps {
  choices: readonly Choice[]
  value?: string | undefined
  required?: boolean
}

export function Select(props: SelectProps): VNode {
  const { name, choices, value, required } = props
  const id = props.id ?? `f-${name}`
  return (
    <Labelled {...props} id={id}>
      <select
        {...{ id, name, required }}
        class="input"
        aria-describedby={describedBy(id, props)}
        aria-invalid={props.error === undefined ? undefined : true}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value} selected={choice.value === value}>
            {choice.label}
          </option>
        ))}
      </select>
    </Labelled>
  )
}

function Labelled({ id, label, hint, error, children }: FieldProps & { children: ComponentChildren }): VNode {
  return (
    <div class={error === undefined ? 'field' : 'field field-refused'}>
      <label for={id}>{label}</label>
      {children}
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  )
}

const describedBy = (id: string, { hint, error }: FieldProps): string | undefined =>
  [...(hint === undefined ? [] : [`${id}-hint`]), ...(error === undefined ? [] : [`${id}-error`])].join(' ') ||
  undefined

interface ButtonProps {
  kind?: 'primary' | 'plain' | 'danger'
  type?: 'submit' | 'button'
  name?: string
  value?: string
  id?: string
  /** The key that presses it, from the list of keys. */
  keyName?: string
  disabled?: boolean
  /** A form elsewhere on the page. */
  form?: string
  title?: string
  children: ComponentChildren
}

/** A verb. Keys press it; nothing is done that a button does not do. */
export const Button = ({ kind = 'plain', type = 'submit', keyName, children, ...rest }: ButtonProps): VNode => (
  <button type={type} class={`button button-${kind}`} data-key={keyName} {...rest}>
    {children}
    {keyName !== undefined && <KeyHint usual={keyName} />}
  </button>
)

interface LinkProps {
  href: Href
  kind?: 'primary' | 'plain'
  keyName?: string
  id?: string
  children: ComponentChildren
}

/** Goes somewhere; changes nothing. */
export const LinkButton = ({ href, kind = 'plain', keyName, id, children }: LinkProps): VNode => (
  <a class={`button button-${kind}`} href={href} id={id} data-key={keyName}>
    {children}
    {keyName !== undefined && <KeyHint usual={keyName} />}
  </a>
)
