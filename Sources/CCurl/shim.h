// curl_easy_setopt and curl_easy_getinfo take their value by `...`, which Swift cannot call; one wrapper stands for each
// type of value. Everything else of libcurl is used as it is.
#pragma once
#include <curl/curl.h>

#if LIBCURL_VERSION_NUM < 0x075700
#error "Pathlight needs libcurl 7.87 or later (Debian 12, Ubuntu 24.04): CURLOPT_QUICK_EXIT keeps a slow resolver from stopping every other transfer"
#endif

static inline CURLcode pl_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode pl_curl_set_size(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

// libcurl copies the text, except for CURLOPT_POSTFIELDS.
static inline CURLcode pl_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode pl_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

// Of CURLOPT_READFUNCTION, CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION.
typedef size_t (*pl_curl_data_function)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode pl_curl_set_data_function(CURL *handle, CURLoption option, pl_curl_data_function function) {
    return curl_easy_setopt(handle, option, function);
}

// Called for each connection with the address that was resolved: the one place where every hop shows its real address.
typedef curl_socket_t (*pl_curl_open_function)(void *context, curlsocktype purpose, struct curl_sockaddr *address);

static inline CURLcode pl_curl_set_open_function(CURL *handle, pl_curl_open_function function) {
    return curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, function);
}

// Called for each request with the address of its connection, a reused one included, before anything is sent.
typedef int (*pl_curl_before_function)(
    void *context, char *remote_address, char *local_address, int remote_port, int local_port);

static inline CURLcode pl_curl_set_before_function(CURL *handle, pl_curl_before_function function) {
    return curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, function);
}

typedef int (*pl_curl_close_function)(void *context, curl_socket_t socket);

static inline CURLcode pl_curl_set_close_function(CURL *handle, pl_curl_close_function function) {
    return curl_easy_setopt(handle, CURLOPT_CLOSESOCKETFUNCTION, function);
}

// Shows the lines of a dialogue, commands and replies in their order.
typedef int (*pl_curl_debug_function)(CURL *handle, curl_infotype type, char *bytes, size_t count, void *context);

static inline CURLcode pl_curl_set_debug_function(CURL *handle, pl_curl_debug_function function) {
    return curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, function);
}

// A refused recipient does not end the mail to the others. The option lost one of its three Ls in libcurl 8.2.
static inline CURLcode pl_curl_allow_refused_recipients(CURL *handle) {
#if LIBCURL_VERSION_NUM < 0x080200
    return curl_easy_setopt(handle, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
#else
    return curl_easy_setopt(handle, CURLOPT_MAIL_RCPT_ALLOWFAILS, 1L);
#endif
}

static inline CURLcode pl_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode pl_curl_get_size(CURL *handle, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLMcode pl_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
