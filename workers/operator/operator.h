/* The operator's verbs; each returns the exit code. */
#ifndef BOOKFLOW_OPERATOR_H
#define BOOKFLOW_OPERATOR_H

int token_main(int argc, char **argv);
int slots_main(int argc, char **argv);
int history_main(int argc, char **argv);
int notice_main(int argc, char **argv);
int audit_main(int argc, char **argv);
int backup_main(int argc, char **argv);
int queues_main(int argc, char **argv);
int dlq_main(int argc, char **argv);
int doctor_main(int argc, char **argv);

#endif
