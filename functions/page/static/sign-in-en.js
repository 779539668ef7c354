/** The words of what can go wrong at the sign-in, in English. JSON, so that the site and the tests can read it. */

export const WORDS = {
 "sign.access_denied": "You were not signed in: the sign-in was cancelled, or you may not use this page.",
 "sign.login_required": "The sign-in service needs you to sign in.",
 "sign.interaction_required": "The sign-in service needs something from you before it signs you in.",
 "sign.account_selection_required": "The sign-in service needs you to choose an account.",
 "sign.consent_required": "The sign-in service needs your consent.",
 "sign.temporarily_unavailable": "The sign-in service is busy. Try again in a minute.",
 "sign.server_error": "The sign-in service had a fault. Try again in a minute.",
 "sign.invalid_grant": "This sign-in took too long, or was used already. Sign in again.",
 "sign.invalid_scope": "The sign-in service does not have what this page asks for (scopes). The operator of this page has to change its settings.",
 "sign.invalid_client": "The sign-in service does not accept this page. The operator of this page has to change its settings.",
 "sign.unauthorized_client": "The sign-in service does not allow this page to sign people in. The operator of this page has to change its settings.",
 "sign.unsupported_response_type": "The sign-in service does not support this kind of sign-in. The operator of this page has to change its settings.",
 "sign.invalid_request": "The sign-in service did not accept the request. The operator of this page has to change its settings.",
 "sign.foreign": "This answer does not belong to a sign-in that began in this tab, so it was not used. Sign in again.",
 "sign.wrong": "The sign-in service sent an answer that is not meant for this page, so it was not used. Sign in again.",
 "sign.odd": "The sign-in service does not answer as its settings say. The operator of this page has to change its settings."
};
