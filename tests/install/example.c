/*
 * A program that uses the installed library alone: prints the alerts of the log on standard input.
 */
#include <stdio.h>

#include <kairos/kairos.h>

int main(void)
{
    struct kairos_analysis_options options = kairos_analysis_options_default();
    struct kairos_analysis *analysis = kairos_analysis_create(&options);
    if (analysis == NULL)
        return 1;

    char block[4096];
    size_t size;
    enum kairos_analysis_status status = KAIROS_ANALYSIS_OK;
    while (status == KAIROS_ANALYSIS_OK && (size = fread(block, 1, sizeof(block), stdin)) > 0)
        status = kairos_analysis_feed(analysis, block, size);
    status = kairos_analysis_finish(analysis);

    struct kairos_alert_cursor cursor = {0};
    while (status == KAIROS_ANALYSIS_OK && kairos_analysis_next_alert(analysis, &cursor)) {
        char alert_at[KAIROS_TIMESTAMP_SIZE];
        kairos_timestamp_format(cursor.alert.alert_at, alert_at);
        printf("%s %s\n", cursor.service, alert_at);
    }
    kairos_analysis_destroy(analysis);
    return status == KAIROS_ANALYSIS_OK ? 0 : 1;
}
