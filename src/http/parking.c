#include "parking.h"

#include <microhttpd.h>

void parking_init(struct parking *parking)
{
    LIST_INIT(&parking->parked);
    parking->resumed = false;
    parking->woken = NULL;
    pthread_mutex_init(&parking->lock, NULL);
}

void parking_finish(struct parking *parking)
{
    pthread_mutex_destroy(&parking->lock);
}

void parking_add(struct parking *parking, struct request *request)
{
    request->parked = true;
    LIST_INSERT_HEAD(&parking->parked, request, by_parking);
    MHD_suspend_connection(request->connection);
}

void parking_resume(struct parking *parking, struct request *request)
{
    LIST_REMOVE(request, by_parking);
    request->parked = false;
    MHD_resume_connection(request->connection);
    parking->resumed = true;
}

void parking_resume_woken(struct parking *parking)
{
    pthread_mutex_lock(&parking->lock);
    for (struct request *request; (request = parking->woken) != NULL;) {
        parking->woken = request->next;
        request->woken = false;
        if (request->parked)
            parking_resume(parking, request);
    }
    pthread_mutex_unlock(&parking->lock);
}

void parking_abandon(struct parking *parking)
{
    for (struct request *request; (request = LIST_FIRST(&parking->parked)) != NULL;) {
        request->abandoned = true;
        parking_resume(parking, request);
    }
}

bool parking_has_resumed(struct parking *parking)
{
    bool resumed = parking->resumed;
    parking->resumed = false;
    return resumed;
}

bool parking_wake(struct parking *parking, struct request *request)
{
    pthread_mutex_lock(&parking->lock);
    bool first = parking->woken == NULL;
    if (!request->woken) {
        request->woken = true;
        request->next = parking->woken;
        parking->woken = request;
    }
    pthread_mutex_unlock(&parking->lock);
    return first;
}

void parking_forget(struct parking *parking, struct request *request)
{
    pthread_mutex_lock(&parking->lock);
    if (request->woken) {
        struct request **link = &parking->woken;
        while (*link != request)
            link = &(*link)->next;
        *link = request->next;
        request->woken = false;
    }
    pthread_mutex_unlock(&parking->lock);
}
