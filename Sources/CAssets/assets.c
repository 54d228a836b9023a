// `#embed` (C23) takes a file in at compile time: one binary, and no array of numbers for the Swift compiler
// to chew on.
#include "CAssets.h"

#define PL_CAREERS(X)                                                                                   \
    X(art_design, "careers/art-design.json")                                                            \
    X(business, "careers/business.json")                                                                \
    X(care, "careers/care.json")                                                                        \
    X(data_ai, "careers/data-ai.json")                                                                  \
    X(education, "careers/education.json")                                                              \
    X(engineering, "careers/engineering.json")                                                          \
    X(environment, "careers/environment.json")                                                          \
    X(finance, "careers/finance.json")                                                                  \
    X(government, "careers/government.json")                                                            \
    X(health, "careers/health.json")                                                                    \
    X(hospitality, "careers/hospitality.json")                                                          \
    X(law_safety, "careers/law-safety.json")                                                            \
    X(media, "careers/media.json")                                                                      \
    X(science, "careers/science.json")                                                                  \
    X(sport_personal, "careers/sport-personal.json")                                                    \
    X(technology, "careers/technology.json")                                                            \
    X(trades, "careers/trades.json")                                                                    \
    X(transport, "careers/transport.json")

// The preprocessor does not expand macros inside #embed's quotes, so each file has its own lines.
static const unsigned char pl_art_design[] = {
#embed "careers/art-design.json"
};
static const unsigned char pl_business[] = {
#embed "careers/business.json"
};
static const unsigned char pl_care[] = {
#embed "careers/care.json"
};
static const unsigned char pl_data_ai[] = {
#embed "careers/data-ai.json"
};
static const unsigned char pl_education[] = {
#embed "careers/education.json"
};
static const unsigned char pl_engineering[] = {
#embed "careers/engineering.json"
};
static const unsigned char pl_environment[] = {
#embed "careers/environment.json"
};
static const unsigned char pl_finance[] = {
#embed "careers/finance.json"
};
static const unsigned char pl_government[] = {
#embed "careers/government.json"
};
static const unsigned char pl_health[] = {
#embed "careers/health.json"
};
static const unsigned char pl_hospitality[] = {
#embed "careers/hospitality.json"
};
static const unsigned char pl_law_safety[] = {
#embed "careers/law-safety.json"
};
static const unsigned char pl_media[] = {
#embed "careers/media.json"
};
static const unsigned char pl_science[] = {
#embed "careers/science.json"
};
static const unsigned char pl_sport_personal[] = {
#embed "careers/sport-personal.json"
};
static const unsigned char pl_technology[] = {
#embed "careers/technology.json"
};
static const unsigned char pl_trades[] = {
#embed "careers/trades.json"
};
static const unsigned char pl_transport[] = {
#embed "careers/transport.json"
};
static const unsigned char pl_quiz[] = {
#embed "quiz.json"
};
static const unsigned char pl_predefined_lists[] = {
#embed "predefined-lists.json"
};
static const unsigned char pl_web_index[] = {
#embed "web/index.html"
};
static const unsigned char pl_web_style[] = {
#embed "web/app.css"
};
static const unsigned char pl_web_script[] = {
#embed "web/app.js"
};
static const unsigned char pl_web_state[] = {
#embed "web/state.js"
};
static const unsigned char pl_web_quiz[] = {
#embed "web/quiz.js"
};
static const unsigned char pl_web_asking[] = {
#embed "web/asking.js"
};
static const unsigned char pl_web_list[] = {
#embed "web/list.js"
};
static const unsigned char pl_web_career[] = {
#embed "web/career.js"
};
static const unsigned char pl_web_results[] = {
#embed "web/results.js"
};
static const unsigned char pl_web_icon[] = {
#embed "web/favicon.svg"
};
static const unsigned char pl_web_page_head[] = {
#embed "web/page-head.html"
};
static const unsigned char pl_web_sign_in[] = {
#embed "web/sign-in.html"
};
static const unsigned char pl_web_sign_up[] = {
#embed "web/sign-up.html"
};
static const unsigned char pl_web_sign_in_link[] = {
#embed "web/sign-in-link.html"
};
static const unsigned char pl_web_account[] = {
#embed "web/account.html"
};
static const unsigned char pl_web_forgot_password[] = {
#embed "web/forgot-password.html"
};
static const unsigned char pl_web_reset_password[] = {
#embed "web/reset-password.html"
};
static const unsigned char pl_web_verify_address[] = {
#embed "web/verify-address.html"
};
static const unsigned char pl_web_unsubscribe[] = {
#embed "web/unsubscribe.html"
};
static const unsigned char pl_web_problem[] = {
#embed "web/problem.html"
};
static const unsigned char pl_web_docs[] = {
#embed "web/docs.html"
};
static const unsigned char pl_web_docs_script[] = {
#embed "web/docs.js"
};
static const unsigned char pl_openapi[] = {
#embed "openapi.json"
};

#define PL_ENTRY(symbol, path) {path, pl_##symbol, sizeof pl_##symbol},

static const pl_asset pl_assets[] = {
    PL_CAREERS(PL_ENTRY)
    PL_ENTRY(quiz, "quiz.json")
    PL_ENTRY(predefined_lists, "predefined-lists.json")
    PL_ENTRY(web_index, "web/index.html")
    PL_ENTRY(web_style, "web/app.css")
    PL_ENTRY(web_script, "web/app.js")
    PL_ENTRY(web_state, "web/state.js")
    PL_ENTRY(web_quiz, "web/quiz.js")
    PL_ENTRY(web_asking, "web/asking.js")
    PL_ENTRY(web_list, "web/list.js")
    PL_ENTRY(web_career, "web/career.js")
    PL_ENTRY(web_results, "web/results.js")
    PL_ENTRY(web_icon, "web/favicon.svg")
    PL_ENTRY(web_page_head, "web/page-head.html")
    PL_ENTRY(web_sign_in, "web/sign-in.html")
    PL_ENTRY(web_sign_up, "web/sign-up.html")
    PL_ENTRY(web_sign_in_link, "web/sign-in-link.html")
    PL_ENTRY(web_account, "web/account.html")
    PL_ENTRY(web_forgot_password, "web/forgot-password.html")
    PL_ENTRY(web_reset_password, "web/reset-password.html")
    PL_ENTRY(web_verify_address, "web/verify-address.html")
    PL_ENTRY(web_unsubscribe, "web/unsubscribe.html")
    PL_ENTRY(web_problem, "web/problem.html")
    PL_ENTRY(web_docs, "web/docs.html")
    PL_ENTRY(web_docs_script, "web/docs.js")
    PL_ENTRY(openapi, "openapi.json")
};

size_t pl_asset_count(void) { return sizeof pl_assets / sizeof pl_assets[0]; }

pl_asset pl_asset_at(size_t index) { return pl_assets[index]; }
