// An authorization server (oidc-provider, OpenID certified) and a small protected resource, on 127.0.0.1 only.
// It prints one line of JSON when both listen.
// env: AS_PORT, RS_PORT (0 = any), ACCESS_TTL (2), REFRESH_TTL (3600), DPOP_NONCE (1)
import http from 'node:http';
import crypto from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Provider } from 'oidc-provider';
const jose = await import(createRequire(import.meta.resolve('oidc-provider')).resolve('jose'));

const env = (k, d) => process.env[k] ?? d;
const ACCESS_TTL = Number(env('ACCESS_TTL', 2)), REFRESH_TTL = Number(env('REFRESH_TTL', 3600));
const DPOP_NONCE = env('DPOP_NONCE', '1') === '1';

let handleAs, handleRs;
const asServer = http.createServer((q, s) => handleAs(q, s)).listen(Number(env('AS_PORT', 0)), '127.0.0.1');
const rsServer = http.createServer((q, s) => handleRs(q, s)).listen(Number(env('RS_PORT', 0)), '127.0.0.1');
await Promise.all([once(asServer, 'listening'), once(rsServer, 'listening')]);
const issuer = `http://127.0.0.1:${asServer.address().port}`;
const rs = `http://127.0.0.1:${rsServer.address().port}`;
const API = `${rs}/api`;           // the resource indicator
const stats = { token: {}, rs: {} }, issued = new Set();
const count = (o, k) => { o[k] = (o[k] ?? 0) + 1; };

const jwtKey = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
const base = { application_type: 'native', response_types: ['code'], redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'] };
const machine = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };
const clients = [
  { ...base, client_id: 'native', token_endpoint_auth_method: 'none' },
  { ...base, client_id: 'native-dpop', token_endpoint_auth_method: 'none', dpop_bound_access_tokens: true },
  { ...base, client_id: 'web', client_secret: 'web secret:%+/', token_endpoint_auth_method: 'client_secret_basic' },
  { ...machine, client_id: 'service', client_secret: 'service-secret', token_endpoint_auth_method: 'client_secret_basic' },
  { ...machine, client_id: 'service-post', client_secret: 'service-secret', token_endpoint_auth_method: 'client_secret_post' },
  { ...machine, client_id: 'service-jwt', token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256',
    jwks: { keys: [{ ...jwtKey.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'ES256' }] } },
  { ...machine, client_id: 'service-dpop', client_secret: 'service-secret', token_endpoint_auth_method: 'client_secret_basic', dpop_bound_access_tokens: true },
];

const provider = new Provider(issuer, {
  clients,
  clientDefaults: { id_token_signed_response_alg: 'RS256' },
  scopes: ['openid', 'offline_access', 'api:read', 'api:write', 'api:admin'],
  findAccount: async (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  cookies: { keys: ['rig'] },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  expiresWithSession: async () => false,
  ttl: { AccessToken: () => ACCESS_TTL, ClientCredentials: () => ACCESS_TTL, RefreshToken: () => REFRESH_TTL, DeviceCode: () => 60 },
  interactions: { url: (_ctx, i) => `/interaction/${i.uid}` },
  features: {
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    registration: { enabled: true },
    dPoP: { enabled: true, nonceSecret: crypto.randomBytes(32), requireNonce: () => DPOP_NONCE },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: async () => true, // no need to repeat `resource` at the token endpoint
      getResourceServerInfo: async (_ctx, resource) => {
        if (resource !== API) throw Object.assign(new (await import('oidc-provider')).errors.InvalidTarget());
        return { scope: 'api:read api:write', audience: API, accessTokenTTL: ACCESS_TTL, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } };
      },
    },
  },
});
provider.use(async (ctx, next) => {
  await next();
  if (ctx.path === '/token' && ctx.body?.access_token) issued.add(ctx.body.access_token);
  if (ctx.path === '/token') count(stats.token, `${ctx.oidc?.params?.grant_type ?? '?'} ${ctx.status} ${ctx.body?.error ?? ''}`.trim());
});

// A user who logs in and consents at once: every interaction is finished without a page.
async function interact(req, res) {
  const d = await provider.interactionDetails(req, res);
  if (d.prompt.name === 'login') return provider.interactionFinished(req, res, { login: { accountId: 'alice' } }, { mergeWithLastSubmission: false });
  const grant = d.grantId ? await provider.Grant.find(d.grantId) : new provider.Grant({ accountId: d.session.accountId, clientId: d.params.client_id });
  const { missingOIDCScope, missingResourceScopes } = d.prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  for (const [r, s] of Object.entries(missingResourceScopes ?? {})) grant.addResourceScope(r, s.join(' '));
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}
const callback = provider.callback();
handleAs = (req, res) => (req.url.startsWith('/interaction/') ? interact(req, res).catch((e) => { res.statusCode = 500; res.end(String(e)); }) : callback(req, res));

// ---- a "browser": cookie jar, redirects, and the device page's two forms
export async function browse(url, init = {}, jar = new Map()) {
  for (let i = 0; i < 15; i++) {
    const r = await fetch(url, { redirect: 'manual', ...init, headers: { ...init.headers, accept: 'text/html', cookie: [...jar].map(([k, v]) => `${k}=${v}`).join('; ') } });
    for (const c of r.headers.getSetCookie()) { const [k, ...v] = c.split(';')[0].split('='); jar.set(k, v.join('=')); }
    const to = r.headers.get('location');
    if (!to) return { r, jar, body: await r.text() };
    const next = new URL(to, url);
    if (next.origin !== issuer) return { r, jar, location: next };
    url = next; init = {};
  }
  throw new Error('redirect loop');
}
async function approveDevice(userCode, abort) {
  const jar = new Map();
  const form = async (extra, html) => browse(`${issuer}/device`, { method: 'POST', body: new URLSearchParams({
    xsrf: /name="xsrf" value="([^"]+)"/.exec(html)[1], user_code: userCode, ...extra }) }, jar);
  const page = await browse(`${issuer}/device`, {}, jar);
  const confirm = await form({}, page.body);
  const done = await form(abort ? { abort: 'yes' } : { confirm: 'yes' }, confirm.body);
  return done.body.includes('Sign-in Success') ? 'approved' : abort ? 'aborted' : `not approved: ${done.body.slice(0, 300)}`;
}

// ---- the protected resource
const revoked = new Set();              // GET /test/revoke-all makes every token issued so far invalid
const rsNonce = () => crypto.createHash('sha256').update(`rs${Math.floor(Date.now() / 60000)}`).digest('base64url');
const seenJti = new Set();
const jwks = () => jose.createRemoteJWKSet(new URL(`${issuer}/jwks`));
let keys;
const reply = (res, status, headers, body) => { count(stats.rs, `${status}`); res.writeHead(status, { 'content-type': 'application/json', ...headers }); res.end(JSON.stringify(body)); };
handleRs = async (req, res) => {
  const u = new URL(req.url, rs);
  const meta = `resource_metadata="${rs}/.well-known/oauth-protected-resource/api"`;
  if (u.pathname === '/.well-known/oauth-protected-resource/api')
    return reply(res, 200, {}, { resource: API, authorization_servers: [issuer], scopes_supported: ['api:read', 'api:write'], bearer_methods_supported: ['header'], dpop_signing_alg_values_supported: ['ES256'] });
  if (u.pathname === '/test/stats') { res.end(JSON.stringify(stats)); if (u.searchParams.has('reset')) { stats.token = {}; stats.rs = {}; } return; }
  if (u.pathname === '/test/revoke-all') { for (const t of issued) revoked.add(t); res.end(String(revoked.size)); return; }
  if (u.pathname === '/test/approve') { res.end(await approveDevice(u.searchParams.get('user_code'), u.searchParams.has('abort')).catch(String)); return; }
  if (u.pathname === '/test/authorize') { // the browser's part of the code flow: returns the URL of the last redirect
    res.end(String((await browse(u.searchParams.get('url'))).location ?? 'no redirect')); return; }
  const need = u.pathname === '/api/write' ? 'api:write' : u.pathname === '/api/admin' ? 'api:admin' : 'api:read';
  const [scheme, token] = (req.headers.authorization ?? '').split(' ');
  const dpopOnly = u.pathname.startsWith('/api/dpop');
  const none = { 'www-authenticate': [...(dpopOnly ? [] : [`Bearer realm="rig", scope="${need}", ${meta}`]), `DPoP algs="ES256 RS256", scope="${need}", ${meta}`] };
  if (!token) return reply(res, 401, none, { error: 'unauthorized' });
  const bad = (d, s = scheme) => reply(res, 401, { 'www-authenticate': `${s} realm="rig", error="invalid_token", error_description="${d}", ${meta}` }, { error: 'invalid_token', error_description: d });
  let claims;
  try { keys ??= jwks(); claims = (await jose.jwtVerify(token, keys, { issuer, audience: API })).payload; } catch (e) { return bad(e.code === 'ERR_JWT_EXPIRED' ? 'the token expired' : 'the token is not valid'); }
  if (revoked.has(token)) return bad('the token was revoked');
  if (claims.cnf?.jkt) {
    if (!/^dpop$/i.test(scheme)) return bad('this token is DPoP-bound', 'DPoP');
    const dp = (e, d) => reply(res, 401, { 'www-authenticate': `DPoP error="${e}", error_description="${d}", algs="ES256 RS256"`, 'dpop-nonce': rsNonce() }, { error: e });
    try {
      const { payload, protectedHeader } = await jose.jwtVerify(req.headers.dpop ?? '', jose.EmbeddedJWK, { typ: 'dpop+jwt', algorithms: ['ES256', 'RS256'] });
      const ath = crypto.createHash('sha256').update(token).digest('base64url');
      if (payload.htm !== req.method || payload.htu !== rs + u.pathname || payload.ath !== ath) return dp('invalid_dpop_proof', 'htm, htu or ath');
      if (await jose.calculateJwkThumbprint(protectedHeader.jwk) !== claims.cnf.jkt) return dp('invalid_dpop_proof', 'key');
      if (DPOP_NONCE && payload.nonce !== rsNonce()) return dp('use_dpop_nonce', 'Resource server requires nonce in DPoP proof');
      if (seenJti.has(payload.jti)) return dp('invalid_dpop_proof', 'jti was used before');
      seenJti.add(payload.jti);
    } catch { return dp('invalid_dpop_proof', 'no valid proof'); }
  } else if (dpopOnly) return bad('a DPoP-bound token is required', 'DPoP');
  if (!(claims.scope ?? '').split(' ').includes(need))
    return reply(res, 403, { 'www-authenticate': `${scheme} realm="rig", error="insufficient_scope", error_description="needs ${need}", scope="${need}", ${meta}` }, { error: 'insufficient_scope' });
  return reply(res, 200, DPOP_NONCE && claims.cnf ? { 'dpop-nonce': rsNonce() } : {}, { sub: claims.sub ?? claims.client_id, scope: claims.scope, iat: claims.iat });
};

console.log(JSON.stringify({ issuer, rs, resource: API, access_ttl: ACCESS_TTL, dpop_nonce: DPOP_NONCE, pid: process.pid,
  service_jwt_key: jwtKey.privateKey.export({ type: 'pkcs8', format: 'pem' }) }));
for (const s of ['SIGINT', 'SIGTERM']) process.on(s, () => process.exit(0));
