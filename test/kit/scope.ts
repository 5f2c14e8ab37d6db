/** What fixtures that programs other than tests use need of whoever runs them. A `TestContext` is one. */
export interface Scope {
  /** Called when it is over. */
  after(end: () => unknown): void
  skip(reason: string): void
}
