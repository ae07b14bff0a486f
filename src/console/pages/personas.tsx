import type { VNode } from 'preact'
import type { Persona } from '../demo-provider.tsx'
import { roleName } from '../parts/nav.tsx'
import { Empty } from '../parts/note.tsx'

/** Instead of a password: whom to be. Served by the identity provider of the demonstration, on its own port. */
export const PersonasPage = ({ uid, personas }: { uid: string; personas: readonly Persona[] }): VNode =>
  personas.length === 0 ? (
    <Empty title="There is nobody yet">
      An administrator lets an account of this provider be a person: <code>aldis login --help</code>.
    </Empty>
  ) : (
    <form method="post" action={`/personas/${uid}`} class="personas">
      {personas.map(({ subject, name, organisation, roles }) => (
        <button key={subject} type="submit" name="subject" value={subject} class="persona">
          <strong>{name}</strong>
          <span class="muted">{organisation}</span>
          <span>{roles.length === 0 ? 'no role' : roles.map(roleName).join(', ')}</span>
        </button>
      ))}
    </form>
  )

/** Instead of a second factor. */
export const ConfirmPage = ({ uid, persona }: { uid: string; persona: Persona }): VNode => (
  <form method="post" action={`/personas/${uid}`} class="stack">
    <p>
      The console asks for a stronger sign-in. Here a press of the button stands for your second factor; it counts for
      five minutes.
    </p>
    <input type="hidden" name="subject" value={persona.subject} />
    <button type="submit" name="confirmed" value="yes" class="button button-primary">
      Yes, I am {persona.name}
    </button>
  </form>
)
