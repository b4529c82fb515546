enum SagaScriptsPlaceholder {}
