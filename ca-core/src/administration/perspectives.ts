/** What operators do with perspectives: register, give a token, shut out. */
import type { AddPerspectiveRequest, CreateJoinTokenRequest, JoinToken } from '@gatehouse/proto/administration';
import { CoreError } from '@gatehouse/proto/core-error';
import type { Perspective } from '@gatehouse/proto/domain-validation';
import type { Keep } from '../keep.ts';
import { perspectiveMessage } from '../registry/perspective-message.ts';
import { newJoinToken } from './new-join-token.ts';

/** Registers a perspective. Throws CoreError `malformed` or `conflict`. */
export async function addPerspective(keep: Keep, actor: string, request: AddPerspectiveRequest): Promise<JoinToken> {
  const { perspective: wanted } = request;
  if (wanted === undefined) throw new CoreError('malformed', 'the perspective is missing');
  const { name, site, rir, latitude, longitude } = wanted;
  const token = newJoinToken(keep, actor, { kind: 'perspective', name }, request.tokenLife);
  const labels = { name, site, rir, latitude, longitude, createdAt: keep.clock.now() };
  await keep.registry.addPerspective(labels, actor, token.set);
  return { token: token.token, expiresAt: token.expiresAt };
}

/** A further token for a perspective that is registered. Throws CoreError `malformed`, `not-found` or `conflict`. */
export async function createPerspectiveJoinToken(
  keep: Keep,
  actor: string,
  { name, tokenLife }: CreateJoinTokenRequest,
): Promise<JoinToken> {
  const perspective = keep.registry.findPerspective(name);
  if (perspective === undefined) throw new CoreError('not-found', `there is no perspective ${name}`);
  if (perspective.isDisabled) throw new CoreError('conflict', `perspective ${name} is disabled`);
  const token = newJoinToken(keep, actor, { kind: 'perspective', name }, tokenLife);
  await keep.store.commit(token.set);
  return { token: token.token, expiresAt: token.expiresAt };
}

/** Shuts a perspective out; its open connections end. Throws CoreError `not-found`. */
export async function disablePerspective(keep: Keep, actor: string, name: string): Promise<Perspective> {
  const disabled = await keep.registry.disablePerspective(name, actor);
  keep.disconnect(disabled.uri);
  return perspectiveMessage(keep.registry, disabled);
}
