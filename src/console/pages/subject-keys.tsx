import type { VNode } from 'preact'
import type { Uuid } from '../../kernel/ids.ts'
import { links } from '../links.ts'
import { Button, Form, TextArea } from '../parts/form.tsx'
import type { Viewer } from '../viewer.ts'
import { ValueFields } from './value-fields.tsx'

interface KeyFormProps {
  request: { id: Uuid }
  viewer: Viewer
  once: Uuid
}

/** Finds a person's signals by keys: in this tab for links and hashes, by a participant's command for what takes a keyed token. */
export const KeyForm = ({ request, viewer, once }: KeyFormProps): VNode => (
  <section class="part">
    <h2>Find what it is about</h2>
    <Form action={links.matchSubject(request.id)} csrf={viewer.csrf} once={once} id="search" class="fields" hidden>
      <ValueFields />
      <Button kind="primary">Find</Button>
      <div id="keys" class="search-keys" role="status" data-in-tab />
    </Form>
    <Form action={links.matchSubject(request.id)} csrf={viewer.csrf} once={once} class="stack">
      <TextArea
        {...{ name: 'lines', label: 'Match keys', rows: 3, maxLength: 4_500 }}
        hint="For e-mail addresses, numbers and accounts: aldis lookup FILE --keys, where a participant's keys are, makes them of 64 digits and asks nothing. One a line."
      />
      <Button>Find by keys</Button>
    </Form>
    <p class="muted">
      The search is an entry of the log before it is answered; it names how many keys, and none of them.
    </p>
  </section>
)
